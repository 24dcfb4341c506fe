"""A real SMTP server on free ports, in a thread with its own event loop."""

from __future__ import annotations

import asyncio
import dataclasses
import smtplib
import threading
from collections.abc import Callable, Iterator

import pytest

from mta.smtp_in.server import SmtpServer
from tests.dialogue import Dialogue


@dataclasses.dataclass
class Running:
    """A server and where it listens."""

    server: SmtpServer
    loop: asyncio.AbstractEventLoop
    mx: int
    submission: int
    submissions: int

    def talk(self, port: int | None = None) -> Talk:
        """A raw connection, greeted."""
        return Talk(port or self.mx)

    def client(self, port: int | None = None) -> smtplib.SMTP:
        """smtplib, connected."""
        return smtplib.SMTP("127.0.0.1", port or self.mx, timeout=60)


class Talk(Dialogue):
    """A raw dialogue: bytes out, whole replies in."""

    def __init__(self, port: int, *, greet: bool = True, tls: bool = False) -> None:
        super().__init__(port, tls=tls)
        if greet:
            self.greeting = self.reply()

    def reply(self) -> str:
        """One reply, all its lines."""
        lines = [self.file.readline().decode()]
        while lines[-1][3:4] == "-":
            lines.append(self.file.readline().decode())
        return "".join(lines).replace("\r\n", "\n").strip("\n")

    def say(self, line: str) -> str:
        """One command, its reply."""
        self.send(line.encode() + b"\r\n")
        return self.reply()


@pytest.fixture
def running(transactional_db: None) -> Iterator[Running]:
    """The three services."""
    yield from run_server()


def run_server(configure: Callable[[SmtpServer], None] = lambda server: None) -> Iterator[Running]:
    """Start, yield, drain."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="smtp")
    thread.start()

    async def start() -> SmtpServer:
        server = SmtpServer()
        configure(server)
        await server.listen(mx=0, submission=0, submissions=0)
        return server

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    try:
        yield Running(server, loop, *server.ports)
    finally:
        asyncio.run_coroutine_threadsafe(server.close(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()
