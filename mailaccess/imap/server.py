"""The IMAP processes: STARTTLS and TLS ports (RFC 8314), one event loop each, ports shared by SO_REUSEPORT."""

from __future__ import annotations

import asyncio
import logging
import signal

from django.conf import settings

from core import dbthread
from core.connection import Budget, ConnectionLimits
from mailaccess.imap.connection import Connection
from mailaccess.imap.feed import feed
from mailaccess.stream import Gate
from mailstore import writer

CONNECTIONS_MAX = 12_000
CONNECTIONS_PER_ADDRESS = 1_000
"""An office behind one address: a hundred people with several programs of several connections each."""
CONNECTIONS_PER_ACCOUNT = 100
"""Thunderbird opens five, a phone two; somebody has many programs."""
BACKLOG = 1_024
MEMORY_BYTES = 256 * 1024 * 1024
"""Literals of all connections that have not been obeyed."""
DRAIN_S = 10.0

log = logging.getLogger(__name__)


class ImapServer:
    """Listens and serves until `close`."""

    def __init__(self) -> None:
        limits = ConnectionLimits(total=CONNECTIONS_MAX, per_address=CONNECTIONS_PER_ADDRESS)
        memory = Budget(max(MEMORY_BYTES, 2 * settings.MESSAGE_MAX_BYTES))
        self.gate = Gate(limits=limits, memory=memory, per_account=CONNECTIONS_PER_ACCOUNT)
        self._servers: list[asyncio.Server] = []

    async def listen(self, *, imap: int | None, imaps: int | None) -> None:
        """Bind the given ports (None: not that one; 0: any free one, see `ports`)."""
        for port, tls in ((imap, False), (imaps, True)):
            if port is not None:
                await self._bind(port, tls=tls)

    @property
    def ports(self) -> list[int]:
        """The bound ports in the order of `listen`."""
        return [server.sockets[0].getsockname()[1] for server in self._servers]

    async def close(self) -> None:
        """Stop listening, let commands end."""
        for server in self._servers:
            server.close()
        await self.gate.drain(DRAIN_S)
        feed.close()
        await asyncio.get_running_loop().run_in_executor(None, writer.drain)

    async def _bind(self, port: int, *, tls: bool) -> None:
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self.gate, tls=tls), settings.LISTEN_HOST, port, backlog=BACKLOG, reuse_port=True
        )
        self._servers.append(server)


async def serve() -> None:
    """Serve the configured ports until SIGTERM or SIGINT, then drain."""
    server = ImapServer()
    await server.listen(imap=settings.IMAP_PORT, imaps=settings.IMAPS_PORT)
    log.info("imap listening", extra={"host": settings.LISTEN_HOST, "ports": server.ports})
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await server.close()
    await asyncio.get_running_loop().run_in_executor(None, dbthread.close)
    log.info("imap stopped")
