"""Raw dialogues with a server of ours on loopback, and the words of transcripts that all protocols share."""

from __future__ import annotations

import socket
import ssl


def client_tls() -> ssl.SSLContext:
    """Trusts everybody, as the certificate is self-signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Dialogue:
    """A connection: bytes out, lines in."""

    def __init__(self, port: int, *, tls: bool) -> None:
        self.socket: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        if tls:
            self.start_tls()
        else:
            self.file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        """Write as it is."""
        self.socket.sendall(data)

    def start_tls(self) -> None:
        """The handshake; no check of the certificate."""
        self.socket = client_tls().wrap_socket(self.socket)
        self.file = self.socket.makefile("rb")

    def is_closed(self) -> bool:
        """Whether the server has hung up (waits for it)."""
        try:
            return self.file.readline() == b""
        except (ConnectionError, ssl.SSLError):
            return True

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def plays(self, line: str, where: str) -> bool:
        """One line of a transcript; False where it is one of the protocol's own, or an answer that must come."""
        verb, _, rest = line.partition(" ")
        if verb == "C:":
            self.send(rest.encode() + b"\r\n")
        elif verb == "raw":
            self.send(rest.encode().decode("unicode_escape").encode("latin-1"))
        elif verb == "tls":
            self.start_tls()
        elif verb == "closed":
            assert self.is_closed(), where
        else:
            return False
        return True
