"""TLS inside a protocol: bytes in, bytes out (ssl.MemoryBIO). asyncio's own TLS transport holds 280 KiB a connection."""

from __future__ import annotations

import ssl

from core.connection import asked_name, bindings_of

CHUNK_BYTES = 65_536


class TlsLayer:
    """The server's end of one TLS connection."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.is_open = False
        self.is_closed = False

    def receive(self, data: bytes) -> bytes:
        """What the client said, decrypted; raises ssl.SSLError for what is no TLS."""
        self._incoming.write(data)
        if not self.is_open:
            try:
                self._object.do_handshake()
            except ssl.SSLWantReadError:
                return b""
            self.is_open = True
        found = []
        while True:
            try:
                chunk = self._object.read(CHUNK_BYTES)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLZeroReturnError:
                chunk = b""
            if not chunk:
                self.is_closed = True
                break
            found.append(chunk)
        return b"".join(found)

    def send(self, data: bytes) -> None:
        """Encrypt; `pending` has the result."""
        view = memoryview(data)
        while view:
            written = self._object.write(view)
            view = view[written:]

    def pending(self) -> bytes:
        """What must go to the client."""
        return self._outgoing.read()

    def close(self) -> None:
        """Say goodbye (close_notify)."""
        try:
            self._object.unwrap()
        except (ssl.SSLError, ValueError):
            self.is_closed = True

    @property
    def bindings(self) -> dict[str, bytes]:
        """What a sign-in can be bound to (RFC 5056)."""
        return bindings_of(self._object)

    @property
    def asked_name(self) -> str:
        """The host that the client named (SNI)."""
        return asked_name(self._object)

    @property
    def version(self) -> str:
        """`TLSv1.3`."""
        return self._object.version() or ""
