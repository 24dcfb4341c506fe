"""One SMTP connection: sockets, TLS, time. The words are `dialogue.py`'s.

Bytes arrive in one buffer per process (the event loop fills and hands it over in one step). Commands are obeyed one by
one and their replies leave in one write as soon as no complete command waits (RFC 2920 3.2). DATA is fed to its reader
straight from the buffer, without a task switch per block.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import cast

from core.connection import asked_name, bindings_of, server_tls
from core.proxy_protocol import ProxyError, is_proxy, take_header
from core.serving import Gate, peer_address
from mta.smtp_in import replies
from mta.smtp_in.chunk import ChunkReader
from mta.smtp_in.data import DataReader
from mta.smtp_in.deadline import Deadline
from mta.smtp_in.dialogue import Dialogue
from mta.smtp_in.session import Session, Tls

COMMAND_TIMEOUT_S = 300.0
"""RFC 5321 4.5.3.2.7."""
DATA_TIMEOUT_S = 180.0
"""Longest silence inside DATA (RFC 5321 4.5.3.2.5)."""
MESSAGE_TIMEOUT_S = 3600.0
"""Longest time for one message, however often a byte comes."""
HANDSHAKE_TIMEOUT_S = 60.0
LINE_MAX = 2048
"""Longest command line (RFC 5321 4.5.3.1.4 says 512; extensions add to it)."""
SASL_LINE_MAX = 12_288
"""Longest line of a sign-in (RFC 4954 4)."""
PENDING_MAX = 65_536
"""Pipelined input held before the socket is no longer read."""
BLOCK_BYTES = 262_144
REPLIES_MAX = 64
"""Replies held until no command waits; more leave before, or who never stops writing would fill the memory."""
LAST_WORD_S = 30.0
"""How long a client that does not read may take for what was said last."""

log = logging.getLogger(__name__)

_block = memoryview(bytearray(BLOCK_BYTES))


class Connection(asyncio.BufferedProtocol):
    """One client. `make_dialogue` says which service it speaks with, `tls_at_once` whether TLS comes first (RFC 8314)."""

    def __init__(self, gate: Gate, make_dialogue: Callable[[Session], Dialogue], *, tls_at_once: bool = False) -> None:
        self._gate = gate
        self._tls_at_once = tls_at_once
        self._make_dialogue = make_dialogue
        self._loop = asyncio.get_running_loop()
        self._input = bytearray()
        self._output: list[bytes] = []
        self._reader: DataReader | ChunkReader | None = None
        self._reserved_bytes = 0
        self._waiter: asyncio.Future[None] | None = None
        self._lost = False
        self._ended = False
        self._paused = False
        self._deadline = Deadline(lambda: self._end(replies.TIMED_OUT))
        self._message_until = 0.0
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    # What the event loop calls --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the client, or tell it to come back; a proxy says first whose connection it is."""
        self._transport = cast("asyncio.Transport", transport)
        self._address = peer_address(transport)
        if is_proxy(self._address):
            self._task = self._loop.create_task(self._read_proxy_header())
        elif self._admit():
            self._task = self._loop.create_task(self._converse())

    async def _read_proxy_header(self) -> None:
        self._transport.pause_reading()
        try:
            header = await take_header(self._transport)
        except ProxyError:
            self.cut()
            return
        self._address = header.address or self._address
        if not self._lost and self._admit():
            self._transport.resume_reading()
            await self._converse()

    def _admit(self) -> bool:
        if not self._gate.admit(self, self._address):
            if not self._tls_at_once:
                self._transport.write(replies.SHUTTING_DOWN if self._gate.closing else replies.BUSY)
            self._transport.close()
            return False
        session = Session(self._loop, self._address)
        self._dialogue = self._make_dialogue(session)
        self._deadline.move(COMMAND_TIMEOUT_S)
        return True

    def get_buffer(self, sizehint: int) -> memoryview:
        """The process's one input buffer: it is filled and taken over before anything else runs."""
        return _block

    def buffer_updated(self, nbytes: int) -> None:
        """`nbytes` have arrived."""
        if self._task is None:
            return
        block = _block[:nbytes]
        if self._reader is None:
            self._input += block
            if len(self._input) > PENDING_MAX and not self._paused:
                self._paused = True
                self._transport.pause_reading()
            self._wake()
        elif self._take_data(self._reader, block):
            self._wake()

    def eof_received(self) -> bool:
        """A client that closed its side has said all; what it said is still answered (not possible under TLS)."""
        self._ended = True
        self._wake()
        return self._transport.get_extra_info("ssl_object") is None

    def pause_writing(self) -> None:
        """The client does not read: nothing more is done for it until it does."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has read."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give back what was counted and held."""
        self._lost = True
        self._wake()
        self._deadline.stop()
        self._release_memory()
        if self in self._gate.open:
            self._dialogue.end()
        self._gate.leave(self, self._address)

    def close_when_idle(self) -> None:
        """The process stops: say so at the next pause."""
        if self._waiter is not None and self._reader is None:
            self._end(replies.SHUTTING_DOWN)

    def cut(self) -> None:
        """Close at once."""
        self._transport.abort()

    # The conversation -----------------------------------------------------------------------------

    async def _converse(self) -> None:
        try:
            if self._tls_at_once:
                await self._start_tls()
            await self._greet()
            while not self._lost:
                if not self._writable.is_set():
                    self._deadline.move(COMMAND_TIMEOUT_S)
                    await self._writable.wait()
                    continue
                line = self._next_line()
                if line is None:
                    self._flush()
                    if self._gate.closing:
                        self._end(replies.SHUTTING_DOWN)
                    await self._arrival(COMMAND_TIMEOUT_S)
                    if not (self._lost or self._ended):
                        self._dialogue.note_answer_read()
                else:
                    await self._obey(line)
        except Exception:
            log.exception("connection failed")
            self._end(replies.LOCAL_ERROR)

    async def _greet(self) -> None:
        if self._dialogue.pause_s and await self._talks_within(self._dialogue.pause_s):
            self._end(replies.TALKED_FIRST)
            return
        self._output.append(await self._dialogue.open())
        if self._dialogue.closing:
            self._end()

    async def _talks_within(self, pause_s: float) -> bool:
        self._waiter = self._loop.create_future()
        await asyncio.wait([self._waiter], timeout=pause_s)
        self._waiter = None
        return bool(self._input) and not self._lost

    async def _obey(self, line: bytes) -> None:
        dialogue = self._dialogue
        answer = await dialogue.obey(line)
        delay_s = dialogue.delay_s(answer)
        if delay_s:
            self._flush()
            await _wait(delay_s)
        self._output.append(answer)
        if len(self._output) >= REPLIES_MAX:
            self._flush()
        if dialogue.wants_data:
            dialogue.wants_data = False
            await self._read_message()
        elif dialogue.wants_chunk is not None:
            await self._read_chunk(dialogue.wants_chunk)
        elif dialogue.wants_tls:
            dialogue.wants_tls = False
            await self._start_tls()
        elif dialogue.closing:
            self._end()

    def _next_line(self) -> bytes | None:
        """The next complete command line without its CRLF; None while there is none."""
        end = self._input.find(b"\n")
        if not 0 <= end <= LINE_MAX:
            signs_in = self._dialogue.continuation or self._input[:5].upper() == b"AUTH "
            limit = SASL_LINE_MAX if signs_in else LINE_MAX
            if end < 0 and len(self._input) <= limit:
                return None
            if end < 0 or end > limit:
                self._end(replies.LINE_TOO_LONG)  # where the next command begins is anybody's guess
                return None
        line = bytes(self._input[: end + 1])
        del self._input[: end + 1]
        self._resume()
        if not line.endswith(b"\r\n") or b"\r" in line[:-2] or b"\0" in line:
            self._end(replies.BARE_LINE_END)
            return None
        return line[:-2]

    async def _read_message(self) -> None:
        reader = DataReader(self._dialogue.largest_bytes)
        if await self._fill(reader):
            self._output.append(await self._finished(reader, self._dialogue.finish(reader)))
            self._release_memory()
            self._deadline.move(COMMAND_TIMEOUT_S)
        reader.close()

    async def _read_chunk(self, reader: ChunkReader) -> None:
        self._dialogue.wants_chunk = None
        if await self._fill(reader):
            self._output.append(await self._finished(reader, self._dialogue.finish_chunk(reader)))
            if reader.is_last:
                self._release_memory()
                reader.close()
            self._deadline.move(COMMAND_TIMEOUT_S)

    async def _finished(self, reader: DataReader | ChunkReader, finishing: Awaitable[bytes]) -> bytes:
        """The answer to a whole message; large ones take turns, as each must be in memory then."""
        with self._dialogue.afterwards.taking():
            if not reader.spooled_bytes:
                return await finishing
            async with self._gate.large:
                return await finishing

    async def _fill(self, reader: DataReader | ChunkReader) -> bool:
        """Feed `reader` until it has all; False when the client went away."""
        self._reader = reader
        self._flush()
        self._message_until = self._loop.time() + MESSAGE_TIMEOUT_S
        early = bytes(self._input)
        self._input.clear()
        self._resume()
        done = self._take_data(reader, memoryview(early))
        while not done and not self._lost:
            await self._arrival(self._patience_s())
            done = self._reader is None
        return done

    def _take_data(self, reader: DataReader | ChunkReader, block: memoryview) -> bool:
        used = reader.feed(block)
        self._deadline.move(self._patience_s())
        self._account(reader)
        if used < 0:
            return False
        self._reader = None
        self._input += block[used:]
        return True

    def _patience_s(self) -> float:
        """How long the next bytes of a message may take: who sends one now and then is not waited for for ever."""
        return min(DATA_TIMEOUT_S, self._message_until - self._loop.time())

    def _account(self, reader: DataReader | ChunkReader) -> None:
        more = reader.held_bytes - self._reserved_bytes
        if more <= 0 or not self._gate.memory.take(more):
            if more > 0:
                reader.give_up()
            self._gate.memory.give_back(self._reserved_bytes - reader.held_bytes)
        self._reserved_bytes = reader.held_bytes

    async def _start_tls(self) -> None:
        self._input.clear()  # what was sent before the handshake is not the client's word (RFC 3207 4.2, 6)
        self._flush()
        self._transport.pause_reading()
        self._deadline.move(HANDSHAKE_TIMEOUT_S)
        try:
            secure = await self._loop.start_tls(
                self._transport, self, server_tls(), server_side=True, ssl_handshake_timeout=HANDSHAKE_TIMEOUT_S
            )
        except (OSError, ssl.SSLError):
            self._lost = True
            return
        if secure is None:
            self._lost = True
            return
        # What lies in the buffer now came after the handshake, encrypted: a quick client's first command.
        self._transport = secure
        self._writable.set()  # a pause of the transport below it is not this one's
        self._dialogue.note_tls()
        self._dialogue.session.tls = _negotiated(secure)
        self._deadline.move(COMMAND_TIMEOUT_S)

    # Waiting and writing --------------------------------------------------------------------------

    async def _arrival(self, timeout_s: float) -> None:
        if self._ended:
            self._end()
        if self._lost:
            return
        self._deadline.move(timeout_s)
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._lost:
            self._writable.set()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _flush(self) -> None:
        if self._output and not self._lost:
            self._transport.write(b"".join(self._output))
        self._output.clear()

    def _resume(self) -> None:
        if self._paused and len(self._input) <= PENDING_MAX:
            self._paused = False
            self._transport.resume_reading()

    def _release_memory(self) -> None:
        self._gate.memory.give_back(self._reserved_bytes)
        self._reserved_bytes = 0

    def _end(self, last_word: bytes = b"") -> None:
        """Say what is left to say and close. Harmless when it is closed: a TLS transport forgets its protocol when it is
        closed twice, and the conversation and a stop may both end it in one turn of the loop."""
        if not self._transport.is_closing():
            self._output.append(last_word)
            self._flush()
            self._lost = True
            self._transport.close()
            if self._transport.get_write_buffer_size():
                self._loop.call_later(LAST_WORD_S, self._transport.abort)
        self._lost = True
        self._wake()


_wait = asyncio.sleep


def _negotiated(transport: asyncio.BaseTransport) -> Tls | None:
    secure: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    if secure is None:
        return None
    cipher = secure.cipher()
    return Tls(secure.version() or "", cipher[0] if cipher else "", bindings_of(secure), asked_name(secure))
