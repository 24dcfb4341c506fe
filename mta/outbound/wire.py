"""The client's end of an SMTP connection: lines out, replies in, TLS; it knows no mail.

Replies are bounded in length and number of lines, and every wait has a time (RFC 5321 4.5.3.2).
"""

from __future__ import annotations

import asyncio
import dataclasses
import ssl
from typing import Any

CONNECT_S = 30.0
GREETING_S = 300.0
COMMAND_S = 300.0
"""MAIL and RCPT; TLS and EHLO have CONNECT_S."""
DATA_S = 120.0
BLOCK_S = 180.0
FINAL_S = 600.0
"""The answer to the last byte of a message."""
LINE_MAX = 4_096
LINES_MAX = 128
BLOCK_BYTES = 262_144
CODE_DIGITS = 3
GOING = 421


class WireError(Exception):
    """The connection is of no use any more."""


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """A reply (RFC 5321 4.2): its lines without their codes, joined by newlines."""

    code: int
    text: str

    @property
    def is_good(self) -> bool:
        """2yz."""
        return self.code // 100 == 2


class Wire:
    """One connection. Any failure raises WireError and leaves it closed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, address: str, port: int, *, tls: ssl.SSLContext | None = None, name: str = "") -> Wire:
        """Open; with `tls` the handshake comes at once (RFC 8314), for the server called `name`."""
        secure: dict[str, Any] = {"ssl": tls, "server_hostname": name or None} if tls is not None else {}
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(address, port, limit=LINE_MAX, **secure)
        except (OSError, ValueError) as error:  # TimeoutError is an OSError; ssl.SSLError too
            raise WireError(_words(error, "connecting")) from None
        return cls(reader, writer)

    async def start_tls(self, context: ssl.SSLContext, name: str) -> None:
        """The handshake after STARTTLS was answered; what was sent before it in the clear is dropped (RFC 3207 5)."""
        if self._reader._buffer:  # type: ignore[attr-defined]
            self.close()
            raise WireError("The server spoke before TLS began")
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._writer.start_tls(context, server_hostname=name)
        except (OSError, ValueError) as error:
            self.close()
            raise WireError(_words(error, "TLS")) from error

    @property
    def tls(self) -> ssl.SSLObject | None:
        """What was negotiated."""
        found: ssl.SSLObject | None = self._writer.get_extra_info("ssl_object")
        return found

    async def ask(self, line: bytes, timeout_s: float = COMMAND_S) -> Reply:
        """One command, its reply."""
        self.write(line + b"\r\n")
        return await self.reply(timeout_s)

    def write(self, data: bytes) -> None:
        """Queue bytes for the socket."""
        self._writer.write(data)

    async def send(self, data: bytes) -> None:
        """Write at the server's pace."""
        view = memoryview(data)
        try:
            while view:
                self._writer.write(view[:BLOCK_BYTES])
                view = view[BLOCK_BYTES:]
                async with asyncio.timeout(BLOCK_S):
                    await self._writer.drain()
        except OSError as error:
            self.close()
            raise WireError(_words(error, "sending")) from None

    async def reply(self, timeout_s: float = COMMAND_S) -> Reply:
        """The next reply."""
        lines: list[str] = []
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    line = await self._reader.readline()
                    if not line.endswith(b"\n"):
                        raise WireError("The server hung up")
                    code, more, text = line[:CODE_DIGITS], line[CODE_DIGITS : CODE_DIGITS + 1], line[CODE_DIGITS + 1 :]
                    if not code.isdigit() or more not in b" -\r\n" or len(lines) >= LINES_MAX:
                        raise WireError(f"Not a reply: {line[:100]!r}")
                    lines.append(text.decode("utf-8", "replace").strip())
                    if more != b"-":
                        break
        except WireError:
            self.close()
            raise
        except (OSError, ValueError) as error:
            self.close()
            raise WireError(_words(error, "waiting for a reply")) from None
        if int(code) == GOING:
            self._writer.close()  # it will not say more (RFC 5321 3.8)
        return Reply(int(code), "\n".join(lines))

    @property
    def is_closed(self) -> bool:
        """Whether either side has hung up, as far as is known."""
        return self._writer.is_closing() or self._reader.at_eof()

    def close(self) -> None:
        """Hang up without a word."""
        self._writer.transport.abort()

    async def quit(self) -> None:
        """QUIT, without waiting long for the answer."""
        if self.is_closed:
            return
        try:
            await self.ask(b"QUIT", 5.0)
        except WireError:
            return
        self._writer.close()


def _words(error: Exception, doing: str) -> str:
    if isinstance(error, TimeoutError):
        return f"Timed out {doing}"
    return str(error) or type(error).__name__
