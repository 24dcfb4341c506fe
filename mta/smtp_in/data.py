"""Reading DATA in blocks (RFC 5321 4.1.1.4): bytes in, one message out; no sockets.

The end is CRLF "." CRLF and nothing else. `LF . LF`, `LF . CRLF`, `CR . CR` and their relatives never end a message,
and a message that holds a CR or LF alone is refused as a whole (RFC 5321 2.3.8: no other sequence may be taken for a
line end). So nobody can hide a second message in one that we and a neighbour would cut in different places.
"""

from __future__ import annotations

END = b"\r\n.\r\n"


class DataReader:
    """Takes blocks until the final dot. Beyond `limit` bytes it reads on, forgets, and reports `too_large`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.too_large = False
        self.out_of_memory = False
        self._held = bytearray(b"\r\n")  # a dot right after DATA's own CRLF ends an empty message

    @property
    def held_bytes(self) -> int:
        """Memory this reader holds now."""
        return len(self._held)

    def feed(self, block: bytes | bytearray | memoryview) -> int:
        """Take `block`; return how many bytes of it belong to the message, or -1 while its end is not seen."""
        known = len(self._held)
        self._held += block
        found = self._held.find(END, max(0, known - len(END) + 1))
        if found < 0:
            self._forget_excess()
            return -1
        used = found + len(END) - known
        del self._held[found + 2 :]
        self.too_large = self.too_large or len(self._held) - 2 - self._held.count(b"\r\n.") > self.limit
        return used

    def give_up(self) -> None:
        """Read on without keeping anything: the process has no room for this message."""
        self.out_of_memory = True
        self._forget_excess()

    def message(self) -> bytes:
        """The received bytes without the dots of transparency (RFC 5321 4.5.2)."""
        return bytes(memoryview(self._held.replace(b"\r\n.", b"\r\n"))[2:])

    def _forget_excess(self) -> None:
        # Dots of transparency count here; the room for them is the reader's, a tenth more than the limit.
        if len(self._held) > self.limit + self.limit // 10 + 1024:
            self.too_large = True
        if self.too_large or self.out_of_memory:
            del self._held[: -len(END)]


def has_bare_line_end(message: bytes) -> bool:
    """Whether a CR or an LF stands alone (RFC 5321 2.3.8)."""
    pairs = message.count(b"\r\n")
    return message.count(b"\n") != pairs or message.count(b"\r") != pairs
