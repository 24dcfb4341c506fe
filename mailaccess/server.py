"""The listeners of mail programs: one event loop a process, ports shared by SO_REUSEPORT, a clean drain."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable

from django.conf import settings

from core.connection import Budget, ConnectionLimits
from core.serving import Gate, Listeners, run_until_stopped
from mailaccess.stream import Stream
from mailstore import writer

CONNECTIONS_MAX = 12_000
CONNECTIONS_PER_ADDRESS = 4_000
"""An office behind one address: hundreds of people with several programs of several connections each."""
SPARE_FILES = 500
"""Descriptors for everything that is no connection."""
CONNECTIONS_PER_ACCOUNT = 100
"""Thunderbird opens five, a phone two; somebody has many programs."""
BACKLOG = 1_024
MEMORY_BYTES = 256 * 1024 * 1024
"""Input of all connections that was not obeyed yet."""

AT_CLOSE: list[Callable[[], None]] = []
"""What a process stops when its server closes, on the event loop; upper layers register it (no signals)."""

MakeConnection = Callable[[Gate, bool], Stream]


class Server:
    """Listens and serves until `close`. `make` is called with the gate and whether the port speaks TLS at once."""

    def __init__(self, make: MakeConnection) -> None:
        limits = ConnectionLimits(total=connections_max(), per_address=CONNECTIONS_PER_ADDRESS)
        memory = Budget(max(MEMORY_BYTES, 2 * settings.MESSAGE_MAX_BYTES))
        self.gate = Gate(limits=limits, memory=memory, per_account=CONNECTIONS_PER_ACCOUNT)
        self._make = make
        self._listeners = Listeners(backlog=BACKLOG)

    async def listen(self, *, plain: int | None, tls: int | None) -> None:
        """Bind the ports for STARTTLS and for TLS (None: not that one; 0: any free one, see `ports`)."""
        for port, encrypted in ((plain, False), (tls, True)):
            if port is not None:
                await self._bind(port, encrypted=encrypted)

    @property
    def ports(self) -> list[int]:
        """The bound ports in the order of `listen`."""
        return self._listeners.ports

    async def close(self) -> None:
        """Stop listening, let commands end."""
        self._listeners.close()
        await self.gate.drain()
        for stop in AT_CLOSE:
            stop()
        await asyncio.get_running_loop().run_in_executor(None, writer.drain)

    async def _bind(self, port: int, *, encrypted: bool) -> None:
        await self._listeners.bind(port, lambda: self._make(self.gate, encrypted))


def connections_max() -> int:
    """As many as this process may have descriptors for: one too many is told so instead of waiting unaccepted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return CONNECTIONS_MAX if soft == resource.RLIM_INFINITY else max(1, min(CONNECTIONS_MAX, soft - SPARE_FILES))


async def serve(name: str, make: MakeConnection, *, plain: int, tls: int) -> None:
    """Serve both ports until SIGTERM or SIGINT, then drain."""
    server = Server(make)
    await server.listen(plain=plain, tls=tls)
    await run_until_stopped(name, server)
