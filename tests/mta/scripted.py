"""A remote server that offers what a test wants and remembers what was said to it."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Handler(socketserver.StreamRequestHandler):
    server: Scripted
    _taken = 0

    def handle(self) -> None:
        self._say("220 remote ESMTP")
        for line in iter(self.rfile.readline, b""):
            text = line.decode().rstrip("\r\n")
            self.server.said.append(text)
            verb = text.partition(" ")[0].upper()
            if verb == "EHLO":
                offered = ["remote", *self.server.offered]
                for each in offered[:-1]:
                    self._say(f"250-{each}")
                self._say(f"250 {offered[-1]}")
            elif verb == "DATA":
                self._say("354 go")
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line.removeprefix(b"."))
                if self._take(b"".join(lines)):
                    return
            elif verb == "BDAT":
                size = int(text.split(" ")[1])
                if self._take(self.rfile.read(size)):
                    return
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 2.1.0 ok")

    def _take(self, body: bytes) -> bool:
        """Whether it was the last mail that this connection takes."""
        self.server.bodies.append(body)
        self._say("250 2.0.0 taken")
        self._taken += 1
        return self._taken == self.server.mails_max

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


class Scripted(socketserver.ThreadingTCPServer):
    """On a free port."""

    daemon_threads = True

    def __init__(self, offered: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.offered = offered
        self.said: list[str] = []
        self.bodies: list[bytes] = []
        self.mails_max = 0
        self.port = int(self.server_address[1])


@contextmanager
def scripted(*offered: str) -> Iterator[Scripted]:
    """Serve until the block ends."""
    server = Scripted(list(offered))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(60)
        server.server_close()
