"""What a connection of any mail protocol is made of: admission, TLS, compression, writing at the client's pace, time.

What arrives goes through the layers to `take`; `converse` runs as one task for each connection and waits with `arrival`.
A client that does not read its answers makes its own command wait, nobody else's.
"""

from __future__ import annotations

import abc
import asyncio
import logging
import ssl
import zlib
from collections.abc import Mapping
from typing import cast

from django.conf import settings

from core.connection import server_tls
from core.proxy_protocol import HEADER_TIMEOUT_S, ProxyError, is_proxy, read_header
from core.serving import Gate, peer_address
from mailaccess.tls import TlsLayer

HANDSHAKE_TIMEOUT_S = 30.0
WRITE_TIMEOUT_S = 300.0
"""Longest time for a client that reads nothing."""
PENDING_MAX = 131_072
"""Pipelined input held before the socket is no longer read."""
DEFLATE_LEVEL = 5
DEFLATE_WINDOW = -13
DEFLATE_MEMORY = 6
"""Of our half of COMPRESS (RFC 4978): 64 KiB for each connection instead of zlib's usual 256."""
OUTPUT_MAX = 65_536
"""Output gathered before it is handed to the socket."""

log = logging.getLogger(__name__)


class Stream(asyncio.Protocol, abc.ABC):
    """One client, without a language. `BUSY`, `STOPPING`, `TIMED_OUT` and `FAILED` are its last words in its own."""

    BUSY = STOPPING = TIMED_OUT = FAILED = b""

    def __init__(self, gate: Gate, *, tls: bool = False) -> None:
        self.gate = gate
        self.tls: TlsLayer | None = TlsLayer(server_tls()) if tls else None
        self.is_idle = False
        self.is_lost = False
        self.remote_address = ""
        self._inflate: zlib._Decompress | None = None
        self._header: bytes | None = None
        self._squeezed = b""
        self._has_more = False
        self._deflate: zlib._Compress | None = None
        self._output: list[bytes] = []
        self._output_bytes = 0
        self._reserved = 0
        self._account = 0
        self._arrived: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._stalled = False
        self._paused = False
        self._ended = False
        self._admitted = False

    # What a protocol says -------------------------------------------------------------------------

    @abc.abstractmethod
    async def converse(self) -> None:
        """The conversation; its end closes the connection."""

    @abc.abstractmethod
    def take(self, data: bytes) -> None:
        """Input, decrypted."""

    def held_bytes(self) -> int:
        """Input not yet read that may be left in the socket instead."""
        return 0

    # What the event loop calls --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the client, or tell it to come back."""
        self._transport = cast("asyncio.Transport", transport)
        self._loop = asyncio.get_running_loop()
        self.remote_address = peer_address(transport)
        if is_proxy(self.remote_address):
            self._header = b""
            self._header_timer = self._loop.call_later(HEADER_TIMEOUT_S, self.cut)
            return
        self._admit()

    def _admit(self) -> None:
        self._admitted = self.gate.admit(self, self.remote_address)
        if not self._admitted:
            self._transport.write(self.BUSY if self.tls is None else b"")
            self._transport.close()
            return
        task = self._loop.create_task(self._run())
        self.gate.tasks.add(task)
        task.add_done_callback(self.gate.tasks.discard)

    def data_received(self, data: bytes) -> None:
        """Bytes through the layers."""
        if self._header is not None:
            data = self._behind_header(self._header + data)
        if self.is_lost or not self._admitted or not data:
            return
        try:
            if self.tls is not None:
                data = self.tls.receive(data)
                self._send_pending()
            self._squeezed += data
            self._unsqueeze()
        except (ssl.SSLError, zlib.error):
            self.cut()
            return
        if self.tls is not None and self.tls.is_closed:
            self._ended = True
        if (self.held_bytes() > PENDING_MAX or self._squeezed) and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def _behind_header(self, data: bytes) -> bytes:
        """What follows a proxy's header (core.proxy_protocol); nothing until it is whole."""
        try:
            found = read_header(data)
        except ProxyError:
            self.cut()
            return b""
        if found is None:
            self._header = data
            return b""
        self._header = None
        self._header_timer.cancel()
        self.remote_address = found.address or self.remote_address
        self._admit()
        return data[found.size :]

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
        self.is_lost = True
        if self._header is not None:
            self._header_timer.cancel()
        self._wake()
        self.resume_writing()
        self.release()
        self.gate.leave(self, self.remote_address)
        if self._account:
            self.gate.accounts[self._account] -= 1

    def close_when_idle(self) -> None:
        """The process stops: say so now if no command runs."""
        if self.is_idle:
            self.end(self.STOPPING)

    def cut(self) -> None:
        """Close at once."""
        self.is_lost = True
        self._transport.abort()

    # Writing --------------------------------------------------------------------------------------

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is up."""
        return self.tls is not None

    @property
    def bindings(self) -> Mapping[str, bytes]:
        """What a sign-in can be bound to (RFC 5056)."""
        return self.tls.bindings if self.tls is not None and self.tls.is_open else {}

    @property
    def local_name(self) -> str:
        """The host that the client named (SNI), or nothing."""
        return self.tls.asked_name if self.tls is not None else ""

    @property
    def takes_secrets(self) -> bool:
        """Whether a password may be said here."""
        return self.tls is not None or settings.CLEARTEXT_LOGIN

    def write(self, data: bytes) -> None:
        """Queue bytes."""
        self._output.append(data)
        self._output_bytes += len(data)
        if self._output_bytes >= OUTPUT_MAX:
            self.flush()

    def flush(self) -> None:
        """Hand what is queued to the socket."""
        if not self._output or self.is_lost:
            return
        data = b"".join(self._output)
        self._output.clear()
        self._output_bytes = 0
        if self._deflate is not None:
            data = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        if self.tls is None:
            self._transport.write(data)
        elif self.tls.is_open:
            self.tls.send(data)
            self._send_pending()
        else:
            self._output.append(data)  # until the handshake is over
            self._output_bytes = len(data)

    async def drain(self) -> None:
        """Send what is queued and wait while the client is behind; raises ConnectionError when it is gone."""
        self.flush()
        if self._stalled and not self.is_lost:
            self._writable = self._loop.create_future()
            try:
                await asyncio.wait_for(self._writable, WRITE_TIMEOUT_S)
            except TimeoutError:
                self.cut()
        if self.is_lost:
            raise ConnectionError("the client is gone")

    def end(self, last_word: bytes = b"") -> None:
        """Say what is left to say and close."""
        if self.is_lost:
            return
        self._output.append(last_word)
        self.flush()
        self.is_lost = True
        if self.tls is not None and self.tls.is_open:
            self.tls.close()
            self._send_pending()
        self._transport.close()
        self._wake()

    # Layers ---------------------------------------------------------------------------------------

    def start_tls(self) -> None:
        """From now on TLS; what is queued still goes in the clear."""
        self.flush()
        self.tls = TlsLayer(server_tls())

    def start_deflate(self, raw: bytes) -> None:
        """RFC 4978: raw DEFLATE both ways; `raw` is what arrived behind the command and is compressed already."""
        self.flush()
        self._deflate = zlib.compressobj(DEFLATE_LEVEL, zlib.DEFLATED, DEFLATE_WINDOW, DEFLATE_MEMORY)
        self._inflate = zlib.decompressobj(wbits=-15)
        self._squeezed = raw + self._squeezed
        self._again()

    @property
    def is_compressed(self) -> bool:
        """Whether DEFLATE is on."""
        return self._deflate is not None

    @property
    def has_hung_up(self) -> bool:
        """Whether the client is gone. In the clear one that closed its side may still listen (`nc`); what it said before
        is obeyed in any case."""
        return self.is_lost or (self._ended and self.tls is not None)

    # Waiting and counting -------------------------------------------------------------------------

    async def arrival(self, timeout_s: float) -> None:
        """Wait until something arrives; the connection ends when nothing does in time."""
        if self._ended:
            self.end()
        if self.is_lost:
            return
        self.flush()
        if self._again():
            return
        if self._paused and self.held_bytes() <= PENDING_MAX:
            self._paused = False
            self._transport.resume_reading()
        self._arrived = self._loop.create_future()
        timer = self._loop.call_later(timeout_s, lambda: self.end(self.TIMED_OUT))
        try:
            await self._arrived
        finally:
            timer.cancel()
            self._arrived = None

    async def secured(self) -> None:
        """Wait for the handshake of a port that speaks TLS at once: what is offered depends on it."""
        while self.tls is not None and not self.tls.is_open and not self.is_lost:
            self.is_idle = True
            await self.arrival(HANDSHAKE_TIMEOUT_S)
            self.is_idle = False

    def enter_account(self, account_id: int) -> bool:
        """Count the connection as this account's; False when it has too many."""
        if self.gate.accounts[account_id] >= self.gate.per_account:
            return False
        self.gate.accounts[account_id] += 1
        self._account = account_id
        return True

    def reserve(self, size: int) -> bool:
        """Take bytes of the process's memory for input, until `release`."""
        if not self.gate.memory.take(size):
            return False
        self._reserved += size
        return True

    def release(self) -> None:
        """Give back what was reserved."""
        self.gate.memory.give_back(self._reserved)
        self._reserved = 0

    async def _run(self) -> None:
        try:
            await self.converse()
        except ConnectionError:
            self.end()
        except Exception:
            log.exception("connection failed")
            self.end(self.FAILED)

    def wake(self) -> None:
        """End `arrival` although nothing came."""
        self._wake()

    def _wake(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    def _send_pending(self) -> None:
        assert self.tls is not None
        data = self.tls.pending()
        if data:
            self._transport.write(data)
        if self.tls.is_open and self._output:
            self.flush()

    def _again(self) -> bool:
        """Take more of what arrived compressed, if there is room; whether that gave anything."""
        try:
            return self._unsqueeze()
        except zlib.error:
            self.cut()
            return True

    def _unsqueeze(self) -> bool:
        """Pass on what arrived; of compressed input no more than would be held without compression: a small input
        may grow a thousandfold, and the rest of it waits as it came."""
        found = False
        if self._inflate is None:
            data, self._squeezed = self._squeezed, b""
            self.take(data)
            return bool(data)
        while (self._squeezed or self._has_more) and self.held_bytes() <= PENDING_MAX:
            data = self._inflate.decompress(self._squeezed, PENDING_MAX)
            self._squeezed = self._inflate.unconsumed_tail
            self._has_more = len(data) == PENDING_MAX  # zlib may hold more without any input left
            if self._inflate.eof:
                self._ended, self._squeezed, self._has_more = True, b"", False
            if data:
                found = True
                self.take(data)
        return found
