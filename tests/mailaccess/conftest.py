"""Real IMAP and POP3 servers on free ports, each in a thread with its own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import imaplib
import poplib
import threading
from collections.abc import Iterator

import pytest

from core import dbthread
from mailaccess.imap.connection import Connection as ImapConnection
from mailaccess.imap.feed import feed
from mailaccess.imap.folder_index import index
from mailaccess.imap.recent import recents
from mailaccess.imap.search.ahead import ahead
from mailaccess.pop3.connection import Connection as Pop3Connection
from mailaccess.server import MakeConnection, Server
from mailstore.selectors.folders import modseq_of
from tests.dialogue import Dialogue, client_tls
from tests.factories import PASSWORD


@dataclasses.dataclass
class Running:
    """A server and where it listens."""

    server: Server
    loop: asyncio.AbstractEventLoop
    plain: int
    tls: int

    def talk(self, *, tls: bool = True) -> Talk:
        """A raw connection, greeted."""
        return Talk(self.tls if tls else self.plain, tls=tls)

    def hint(self, mailbox: int) -> None:
        """What Redis would tell the sessions: the mailbox has changed."""
        modseq = modseq_of([mailbox])[mailbox]
        self.loop.call_soon_threadsafe(feed.hint, mailbox, modseq)

    def imap(self, address: str = "alice@example.test") -> imaplib.IMAP4_SSL:
        """imaplib, signed in."""
        client = imaplib.IMAP4_SSL("127.0.0.1", self.tls, ssl_context=client_tls(), timeout=60)
        client.login(address, PASSWORD)
        return client

    def pop3(self, address: str = "alice@example.test") -> poplib.POP3_SSL:
        """poplib, signed in."""
        client = poplib.POP3_SSL("127.0.0.1", self.tls, context=client_tls(), timeout=60)
        client.user(address)
        client.pass_(PASSWORD)
        return client


class Talk(Dialogue):
    """A raw dialogue."""

    def __init__(self, port: int, *, tls: bool = False, greet: bool = True) -> None:
        super().__init__(port, tls=tls)
        self.greeting = self.line() if greet else b""

    def line(self) -> bytes:
        """One line without its end."""
        return self.file.readline().removesuffix(b"\r\n")

    def say(self, command: bytes, tag: bytes = b"a") -> list[bytes]:
        """A tagged command; all lines up to its answer. Literals in answers are read with their lines."""
        self.send(tag + b" " + command + b"\r\n")
        return self.answer(tag)

    def answer(self, tag: bytes = b"a") -> list[bytes]:
        """Lines until the tagged one."""
        lines = []
        while True:
            line = self.whole_line()
            lines.append(line)
            if line.startswith(tag + b" ") or not line:
                return lines

    def whole_line(self) -> bytes:
        """A line with the literals in it."""
        line = self.line()
        while line.endswith(b"}") and b"{" in line:
            size = int(line[line.rindex(b"{") + 1 : -1].rstrip(b"+"))
            line += b"\r\n" + self.file.read(size) + self.line()
        return line


@pytest.fixture
def imap_server(transactional_db: None) -> Iterator[Running]:
    """IMAP with STARTTLS and with TLS."""
    index.forget()
    recents.forget()
    with running(lambda gate, tls: ImapConnection(gate, tls=tls)) as server:
        yield server
        server.loop.call_soon_threadsafe(feed.close)
        server.loop.call_soon_threadsafe(ahead.close)


@pytest.fixture
def pop3_server(transactional_db: None) -> Iterator[Running]:
    """POP3 with STLS and with TLS."""
    with running(lambda gate, tls: Pop3Connection(gate, tls=tls)) as server:
        yield server


@contextlib.contextmanager
def running(make: MakeConnection) -> Iterator[Running]:
    """Start, yield, drain; the database threads end with it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="server")
    thread.start()

    async def start() -> Server:
        server = Server(make)
        await server.listen(plain=0, tls=0)
        return server

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    try:
        yield Running(server, loop, *server.ports)
    finally:
        asyncio.run_coroutine_threadsafe(server.close(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()
        dbthread.close()
