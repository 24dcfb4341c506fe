"""How a process of sockets lives: whom it admits, which ports it shares with its siblings, how it stops.

Servers of every mail protocol are made of a `Gate` and `Listeners`; several processes bind the same ports
(SO_REUSEPORT). How siblings share their limits is `core/siblings.py`'s.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from django.conf import settings

from core import dbthread
from core.connection import Budget, ConnectionLimits

DRAIN_S = 10.0
LARGE_AT_ONCE = 2
POLL_S = 0.02

EVERY_MINUTE: list[Callable[[], Any]] = []
"""What each serving process does once a minute on a database thread; upper layers register it (no signals)."""
MINUTE_S = 60.0

log = logging.getLogger(__name__)


class Client(Protocol):
    """What a gate asks of a connection."""

    def close_when_idle(self) -> None:
        """Say goodbye now if no command runs, else after it."""

    def cut(self) -> None:
        """Close at once."""


class Server(Protocol):
    """What `run_until_stopped` asks of a server that listens already."""

    @property
    def ports(self) -> list[int]:
        """The bound ports."""

    async def close(self) -> None:
        """Stop listening, let commands end, commit what is under way."""


class Gate:
    """What the connections of one process share: limits, memory for input, and the set of those that are open.

    `per_account`: connections of one account; 0 for a protocol that doesn't count them.
    """

    def __init__(
        self, *, limits: ConnectionLimits, memory: Budget, per_account: int = 0, large_at_once: int = LARGE_AT_ONCE
    ) -> None:
        self.limits = limits
        self.memory = memory
        self.per_account = per_account
        self.accounts: Counter[int] = Counter()
        self.open: set[Any] = set()
        """Of `Client`s."""
        self.tasks: set[asyncio.Task[None]] = set()
        self.large = asyncio.Semaphore(large_at_once)
        """Passed by input that was kept on the disk and must be in memory as a whole for a moment."""
        self.closing = False

    def admit(self, client: Client, address: str) -> bool:
        """Count a connection in; False when it is one too many or the process stops (nothing to leave then)."""
        if self.closing or not self.limits.enter(address):
            return False
        self.open.add(client)
        return True

    def leave(self, client: Client, address: str) -> None:
        """Count out a connection, whether it was admitted or not."""
        if client in self.open:
            self.open.discard(client)
            self.limits.leave(address)

    async def drain(self, timeout_s: float = DRAIN_S) -> None:
        """Let the commands that run end; those that take longer are cut."""
        self.closing = True
        for client in list(self.open):
            client.close_when_idle()
        deadline = asyncio.get_running_loop().time() + timeout_s
        while (self.open or self.tasks) and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(POLL_S)
        for client in list(self.open):
            client.cut()


class Listeners:
    """The bound ports of one server."""

    def __init__(self, *, backlog: int) -> None:
        self._backlog = backlog
        self._servers: list[asyncio.Server] = []

    async def bind(self, port: int, make: Callable[[], asyncio.BaseProtocol]) -> None:
        """Listen on LISTEN_HOST and `port`, beside other processes that do; 0: one of nobody else, see `ports`."""
        loop = asyncio.get_running_loop()
        host, shared = settings.LISTEN_HOST, port != 0
        server = await loop.create_server(make, host, port, backlog=self._backlog, reuse_port=shared)
        self._servers.append(server)

    @property
    def ports(self) -> list[int]:
        """The bound ports in the order of `bind`."""
        return [server.sockets[0].getsockname()[1] for server in self._servers]

    def close(self) -> None:
        """Take no connection any more."""
        for server in self._servers:
            server.close()


async def run_until_stopped(name: str, server: Server) -> None:
    """Serve until SIGTERM or SIGINT, then drain and give the database's connections back."""
    log.info("%s listening", name, extra={"host": settings.LISTEN_HOST, "ports": server.ports})
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    repeating = asyncio.create_task(_every_minute())
    await stop.wait()
    repeating.cancel()
    await server.close()
    await asyncio.get_running_loop().run_in_executor(None, dbthread.close)
    log.info("%s stopped", name)


async def _every_minute() -> None:
    while True:
        for work in EVERY_MINUTE:
            try:
                await dbthread.run(work)
            except Exception:  # the next minute tries again
                log.exception("periodic work failed")
        await asyncio.sleep(MINUTE_S)


def peer_address(transport: asyncio.BaseTransport) -> str:
    """Who is at the other end; empty for a socket without addresses. An IPv4 address is written as one."""
    peer = transport.get_extra_info("peername") or ("",)
    return str(peer[0]).removeprefix("::ffff:")
