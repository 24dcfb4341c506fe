"""A client's connection: bytes out, responses in, and the last lines of both for whoever has to find out."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections import deque
from collections.abc import Callable

from webmail.stress.responses import Response, response

TIMEOUT_S = 60.0
_LITERAL = re.compile(rb"~?\{(\d+)\}\Z")


class Wire:
    """One TCP or TLS connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.said: deque[bytes] = deque(maxlen=80)

    @classmethod
    async def open(cls, port: int, *, tls: bool) -> Wire:
        """Connect to loopback. Raises OSError."""
        context = ssl.create_default_context() if tls else None
        if context is not None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context, limit=1 << 24))

    async def send(self, data: bytes) -> None:
        """Write bytes; raises ConnectionError."""
        self.said.append(b"C: " + data[:2_000])
        self._writer.write(data)
        await self._writer.drain()

    async def response(self) -> Response:
        """The next response. Raises ConnectionError at the end, TimeoutError, MalformedResponseError."""
        pieces: list[bytes] = []
        while True:
            line = await asyncio.wait_for(self._reader.readline(), TIMEOUT_S)
            if not line.endswith(b"\r\n"):
                raise ConnectionError("the server hung up")
            pieces.append(line[:-2])
            self.said.append(b"S: " + line[:2_000])
            found = _LITERAL.search(line[:-2])
            if not found:
                return response(pieces)
            pieces[-1] = pieces[-1][: found.start()]
            pieces.append(await self._reader.readexactly(int(found[1])))

    async def listen(self, seconds: float, hear: Callable[[Response], None]) -> None:
        """Give `hear` everything that comes within a time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                found = await asyncio.wait_for(self.response(), left)
            except TimeoutError:  # nothing is lost by it: a line is taken whole or not at all
                return
            hear(found)

    def close(self) -> None:
        """Hang up without a word."""
        self._writer.transport.abort()
