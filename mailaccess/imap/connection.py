"""One IMAP connection: the socket, TLS, compression, time. What is said is `session.py` and the commands.

What arrives goes through the layers into the reader; commands are obeyed one by one and their answers leave in one
write when nothing more waits. A client that does not read its answers makes its own command wait, nobody else's.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import zlib
from typing import cast

from django.conf import settings

from core.connection import Budget, ConnectionLimits, server_tls
from core.errors import MailError
from mailaccess.imap.commands.capability import capabilities
from mailaccess.imap.errors import BadError, NoError, no_of
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.reader import Command, Continue, Reader, Refused
from mailaccess.imap.registry import COMMANDS
from mailaccess.imap.session import Answer, Session, State
from mailaccess.tls import TlsLayer

GUEST_TIMEOUT_S = 60.0
"""From connecting to having signed in, for each silence."""
IDLE_TIMEOUT_S = 31 * 60.0
"""RFC 9051 5.4 wants at least 30 minutes."""
WRITE_TIMEOUT_S = 300.0
"""Longest time for a client that reads nothing."""
LITERAL_TIMEOUT_S = 300.0
PENDING_MAX = 131_072
"""Pipelined input held before the socket is no longer read."""
OUTPUT_MAX = 65_536
"""Output gathered before it is handed to the socket."""
FAULTS_MAX = 20
FAILURES_MAX = 5
"""Wrong secrets on one connection."""

log = logging.getLogger(__name__)


class Gate:
    """What the connections of one process share."""

    def __init__(self, *, limits: ConnectionLimits, memory: Budget) -> None:
        self.limits = limits
        self.memory = memory
        self.open: set[Connection] = set()
        self.closing = False

    async def drain(self, timeout_s: float) -> None:
        """Let the commands that run end; those that take longer are cut."""
        self.closing = True
        for connection in list(self.open):
            connection.close_when_idle()
        deadline = asyncio.get_running_loop().time() + timeout_s
        while self.open and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        for connection in list(self.open):
            connection.cut()


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, gate: Gate, *, tls: bool = False) -> None:
        self._gate = gate
        self._tls: TlsLayer | None = TlsLayer(server_tls()) if tls else None
        self._inflate: zlib._Decompress | None = None
        self._deflate: zlib._Compress | None = None
        self._reader = Reader(settings.MESSAGE_MAX_BYTES, take=self._reserve)
        self._output: list[bytes] = []
        self._output_bytes = 0
        self._reserved = 0
        self._arrived: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._stalled = False
        self._paused = False
        self._lost = False
        self._ended = False
        self._admitted = False
        self._idle = False
        self._faults = 0
        self.remote_address = ""
        self.local_name = ""
        self._session = Session(self)

    # What the event loop calls --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the client, or tell it to come back."""
        self._transport = cast("asyncio.Transport", transport)
        self._loop = asyncio.get_running_loop()
        peer = transport.get_extra_info("peername") or ("",)
        self.remote_address = str(peer[0]).removeprefix("::ffff:")
        self._admitted = self._gate.limits.enter(self.remote_address)
        if not self._admitted or self._gate.closing:
            if self._tls is None:
                self._transport.write(b"* BYE [UNAVAILABLE] Too many connections, try again later\r\n")
            transport.close()
            return
        self._gate.open.add(self)
        self._task = self._loop.create_task(self._converse())

    def data_received(self, data: bytes) -> None:
        """Bytes through the layers into the reader."""
        if self._lost or not self._admitted:
            return
        try:
            if self._tls is not None:
                data = self._tls.receive(data)
                self._send_pending()
            if self._inflate is not None and data:
                data = self._inflated(data)
        except (ssl.SSLError, zlib.error):
            self.cut()
            return
        self._reader.feed(data)
        if self._tls is not None and self._tls.is_closed:
            self._ended = True
        if self._reader.held_bytes > PENDING_MAX and not self._reader.literal_left and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """What was said is still answered."""
        self._ended = True
        self._wake()
        return True

    def pause_writing(self) -> None:
        """The client reads too slowly."""
        self._stalled = True

    def resume_writing(self) -> None:
        """It has read."""
        self._stalled = False
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give back what was counted and held."""
        self._lost = True
        self._wake()
        self.resume_writing()
        self._release()
        self._gate.open.discard(self)
        if self._admitted:
            self._gate.limits.leave(self.remote_address)

    def close_when_idle(self) -> None:
        """The process stops: say so now if no command runs."""
        if self._idle:
            self._end(b"* BYE Server is stopping\r\n")

    def cut(self) -> None:
        """Close at once."""
        self._lost = True
        self._transport.abort()

    # What the session asks for --------------------------------------------------------------------

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is up."""
        return self._tls is not None

    def write(self, data: bytes) -> None:
        """Queue bytes."""
        self._output.append(data)
        self._output_bytes += len(data)
        if self._output_bytes >= OUTPUT_MAX:
            self._flush()

    async def drain(self) -> None:
        """Send what is queued and wait while the client is behind."""
        self._flush()
        if self._stalled and not self._lost:
            self._writable = self._loop.create_future()
            try:
                await asyncio.wait_for(self._writable, WRITE_TIMEOUT_S)
            except TimeoutError:
                self.cut()
        if self._lost:
            raise ConnectionError("the client is gone")

    async def ask(self, prompt: bytes, limit: int) -> bytes:
        """A prompt and the line that answers it."""
        self.write(prompt)
        self._flush()
        while True:
            line = self._reader.next_line(limit)
            if line is not None:
                return line
            await self._arrival(GUEST_TIMEOUT_S)
            if self._lost:
                raise ConnectionError("the client is gone")

    async def line(self, timeout_s: float) -> bytes | None:
        """The next line, within a time."""
        while True:
            line = self._reader.next_line(1_000)
            if line is not None:
                return line
            await self._arrival(timeout_s)
            if self._lost or self._gate.closing:
                raise ConnectionError("the client is gone")

    def channel_binding(self, kind: str) -> bytes | None:
        """No binding but the server's certificate (mailaccess.tls) is to be had from Python's TLS."""
        return None

    # The conversation -----------------------------------------------------------------------------

    async def _converse(self) -> None:
        try:
            self.write(f"* OK [CAPABILITY {capabilities(self._session)}] Globalmail ready\r\n".encode())
            while not self._lost:
                event = self._reader.next()
                if event is None:
                    await self._rest()
                elif isinstance(event, Command):
                    await self._obey(event)
                elif isinstance(event, Continue):
                    self.write(b"+ go on\r\n")
                else:
                    self._refuse(event)
        except ConnectionError:
            self._end(b"")
        except Exception:
            log.exception("connection failed")
            self._end(b"* BYE [SERVERBUG] Internal error\r\n")

    async def _rest(self) -> None:
        self._flush()
        self._resume()
        if self._gate.closing:
            self._end(b"* BYE Server is stopping\r\n")
            return
        self._idle = self._reader.is_idle
        guest = self._session.state is State.GUEST
        timeout_s = GUEST_TIMEOUT_S if guest else IDLE_TIMEOUT_S if self._idle else LITERAL_TIMEOUT_S
        await self._arrival(timeout_s)
        self._idle = False

    async def _obey(self, command: Command) -> None:
        cursor = Cursor(command.pieces)
        tag = b"*"
        try:
            tag = cursor.tag()
            cursor.space()
            reply = await self._run(cursor)
        except ImapSyntaxError as fault:
            reply = self._bad(f"Syntax: {fault}")
        except BadError as bad:
            reply = self._bad(str(bad))
        except NoError as no:
            reply = _no(no)
        except MailError as error:
            reply = _no(no_of(error))
        finally:
            self._release()
        self.write(tag + b" " + reply)
        await self._after()

    async def _run(self, cursor: Cursor) -> bytes:
        name = cursor.atom().upper()
        by_uid = name == b"UID"
        if by_uid:
            cursor.space()
            name = cursor.atom().upper()
        entry = COMMANDS.get(name)
        run = (entry.by_uid if by_uid else entry.run) if entry else None
        if entry is None or run is None:
            raise BadError("Unknown command")
        session = self._session
        if not session.state & entry.states:
            raise BadError("Not now: sign in first" if session.state is State.GUEST else "Not in this state")
        answer: Answer = await run(session, cursor)
        self._faults = 0
        self._reader.is_guest = session.state is State.GUEST
        await session.tell(expunge=answer.expunge)
        code = f"[{answer.code}] " if answer.code else ""
        return f"OK {code}{answer.text}\r\n".encode()

    def _bad(self, text: str) -> bytes:
        self._faults += 1
        return f"BAD {text}\r\n".encode()

    def _refuse(self, event: Refused) -> None:
        self._release()
        if event.is_append:
            self.write(event.tag + b" NO [TOOBIG] The message is too large\r\n")
        else:
            self.write(event.tag + b" BAD [LIMIT] The command is too long\r\n")
        if event.fatal:
            self._end(b"* BYE Too long\r\n")

    async def _after(self) -> None:
        session = self._session
        if session.after == "tls":
            session.after = ""
            self._reader.forget_input()
            self._flush()
            self._tls = TlsLayer(server_tls())
        elif session.after == "deflate":
            session.after = ""
            self._compress()
        elif session.state is State.LOGOUT:
            self._end(b"")
        elif self._faults >= FAULTS_MAX or session.failures >= FAILURES_MAX:
            self._end(b"* BYE Too many failures\r\n")
        elif self._output_bytes:
            await self.drain() if self._stalled else None

    def _compress(self) -> None:
        """RFC 4978: raw DEFLATE both ways; what arrived behind the command is compressed already."""
        self._flush()
        self._deflate = zlib.compressobj(level=6, wbits=-15)
        self._inflate = zlib.decompressobj(wbits=-15)
        raw = self._reader.take_raw()
        if raw:
            self._reader.feed(self._inflated(raw))

    def _inflated(self, data: bytes) -> bytes:
        """Bounded: what a small input may grow to is no more than the reader would hold."""
        assert self._inflate is not None
        found = self._inflate.decompress(data, 16 * PENDING_MAX)
        if self._inflate.unconsumed_tail:
            raise zlib.error("too large")
        return found

    # Waiting and writing --------------------------------------------------------------------------

    async def _arrival(self, timeout_s: float) -> None:
        if self._ended:
            self._end(b"")
        if self._lost:
            return
        self._arrived = self._loop.create_future()
        timer = self._loop.call_later(timeout_s, self._time_out)
        try:
            await self._arrived
        finally:
            timer.cancel()
            self._arrived = None

    def _time_out(self) -> None:
        self._end(b"* BYE Timed out waiting for you\r\n")

    def _wake(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    def _flush(self) -> None:
        if not self._output or self._lost:
            return
        data = b"".join(self._output)
        self._output.clear()
        self._output_bytes = 0
        if self._deflate is not None:
            data = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        if self._tls is None:
            self._transport.write(data)
        elif self._tls.is_open:
            self._tls.send(data)
            self._send_pending()
        else:
            self._output.append(data)  # until the handshake is over
            self._output_bytes = len(data)

    def _send_pending(self) -> None:
        assert self._tls is not None
        data = self._tls.pending()
        if data:
            self._transport.write(data)
        if self._tls.is_open and self._output:
            self._flush()

    def _resume(self) -> None:
        if self._paused and self._reader.held_bytes <= PENDING_MAX:
            self._paused = False
            self._transport.resume_reading()

    def _reserve(self, size: int) -> bool:
        if not self._gate.memory.take(size):
            return False
        self._reserved += size
        return True

    def _release(self) -> None:
        self._gate.memory.give_back(self._reserved)
        self._reserved = 0

    def _end(self, last_word: bytes) -> None:
        """Say what is left to say and close."""
        if self._lost:
            return
        self._output.append(last_word)
        self._flush()
        self._lost = True
        if self._tls is not None and self._tls.is_open:
            self._tls.close()
            self._send_pending()
        self._transport.close()
        self._wake()


def _no(no: NoError) -> bytes:
    code = f"[{no.code}] " if no.code else ""
    return f"NO {code}{no.text}\r\n".encode()
