"""A lean IMAP and POP3 client for measuring: blocking sockets, answers as bytes, nothing parsed that is not needed."""

from __future__ import annotations

import re
import socket
import ssl

TIMEOUT_S = 600.0


class Line:
    """A connection with a buffer."""

    def __init__(self, port: int, *, tls: bool = False) -> None:
        self.socket: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        self._held = bytearray()

    def send(self, data: bytes) -> None:
        """Write."""
        self.socket.sendall(data)

    def line(self) -> bytes:
        """One line."""
        return self.until(b"\n", b"")

    def until(self, mark: bytes, start: bytes) -> bytes:
        """Everything up to and with the line that begins with `mark` (behind `start`, the end of the line before)."""
        searched = 0
        while True:
            found = 0 if start and self._held.startswith(mark) else self._held.find(start + mark, searched)
            end = self._held.find(b"\n", found + len(start)) if found >= 0 else -1
            if end >= 0:
                answer = bytes(self._held[: end + 1])
                del self._held[: end + 1]
                return answer
            searched = max(0, len(self._held) - len(mark) - len(start)) if found < 0 else found
            data = self.socket.recv(262_144)
            if not data:
                raise ConnectionError(bytes(self._held[-200:]))
            self._held += data

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


class Imap(Line):
    """`say` gives the whole answer."""

    _tag = 0

    def __init__(self, port: int, name: str, password: str, *, tls: bool = False) -> None:
        super().__init__(port, tls=tls)
        self.line()
        self.say(f'LOGIN "{name}" "{password}"'.encode())

    def say(self, command: bytes) -> bytes:
        """A command that must succeed."""
        self._tag += 1
        tag = b"zq%05d" % self._tag
        self.send(tag + b" " + command + b"\r\n")
        answer = self.until(tag + b" ", b"\n")
        if b"OK" not in answer[answer.rfind(tag) :][:11]:
            raise RuntimeError(f"{command[:100]!r}: {answer[-300:]!r}")
        return answer

    def select(self, box: str = "INBOX") -> int:
        """How many messages there are."""
        found = re.search(rb"\* (\d+) EXISTS", self.say(b"SELECT " + box.encode()))
        assert found
        return int(found[1])


class Pop3(Line):
    """`one` and `many` give the answers."""

    def __init__(self, port: int, name: str, password: str) -> None:
        super().__init__(port)
        self.line()
        self.one(f"USER {name}".encode())
        self.one(f"PASS {password}".encode())

    def one(self, command: bytes) -> bytes:
        """A command with a line for an answer."""
        self.send(command + b"\r\n")
        answer = self.line()
        if not answer.startswith(b"+OK"):
            raise RuntimeError(f"{command!r}: {answer!r}")
        return answer

    def many(self, command: bytes) -> bytes:
        """A command with many."""
        self.one(command)
        return self.until(b".\r\n", b"\n")
