"""A mail server that keeps nothing, for sending against: `python -m bench.sink PORT`. PIPELINING, SIZE, 8BITMIME.

It reads in blocks and looks only for what it must know, so that the sender is what is measured.
"""

from __future__ import annotations

import asyncio
import sys

GREETING = b"220 sink.test ESMTP\r\n"
HELLO = b"250-sink.test\r\n250-PIPELINING\r\n250-SIZE 104857600\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"
END = b"\r\n.\r\n"


class Sink(asyncio.Protocol):
    """One client."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._held = b""
        self._in_data = False
        transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        """Answer whatever is whole."""
        self._held += data
        answers = []
        while (answer := self._next()) is not None:
            answers.append(answer)
        if answers:
            self._transport.write(b"".join(answers))

    def _next(self) -> bytes | None:
        if self._in_data:
            end = self._held.find(END)
            if end < 0:
                return None
            self._held, self._in_data = self._held[end + len(END) :], False
            return b"250 2.0.0 taken\r\n"
        line, ended, rest = self._held.partition(b"\r\n")
        if not ended:
            return None
        self._held = rest
        verb = line[:4].upper()
        if verb == b"EHLO":
            return HELLO
        if verb == b"DATA":
            self._in_data, self._held = True, b"\r\n" + rest  # the dot of an empty message follows DATA's own line end
            return b"354 go\r\n"
        return b"221 bye\r\n" if verb == b"QUIT" else b"250 2.1.0 ok\r\n"


async def main() -> None:
    """Until killed."""
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
