"""Reading DATA in blocks (RFC 5321 4.1.1.4): bytes in, one message out; no sockets.

The end is CRLF "." CRLF and nothing else. `LF . LF`, `LF . CRLF`, `CR . CR` and their relatives never end a message,
and a message that holds a CR or LF alone is refused as a whole (RFC 5321 2.3.8: no other sequence may be taken for a
line end). So nobody can hide a second message in one that we and a neighbour would cut in different places. What is
larger than a megabyte goes to the disk as it comes, without the dots of transparency.
"""

from __future__ import annotations

from mta.smtp_in.spool import AFTER_BYTES, Spool

END = b"\r\n.\r\n"
DOTTED, PLAIN = b"\r\n.", b"\r\n"
LEAD = len(PLAIN)
"""A dot right after DATA's own CRLF ends an empty message: that CRLF is read, and is no part of the message."""


class DataReader:
    """Takes blocks until the final dot. Beyond `limit` bytes it reads on, forgets, and reports `too_large`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.too_large = False
        self.out_of_memory = False
        self._held = bytearray(PLAIN)
        self._spool = Spool()
        self._skip = LEAD

    @property
    def held_bytes(self) -> int:
        """Memory this reader holds now."""
        return len(self._held)

    @property
    def spooled_bytes(self) -> int:
        """What lies on the disk."""
        return self._spool.size

    def feed(self, block: bytes | bytearray | memoryview) -> int:
        """Take `block`; return how many bytes of it belong to the message, or -1 while its end is not seen."""
        known = len(self._held)
        self._held += block
        found = self._held.find(END, max(0, known - len(END) + 1))
        if found < 0:
            self._make_room()
            return -1
        used = found + len(END) - known
        del self._held[found + LEAD :]
        size = self._spool.size + len(self._held) - self._skip
        if size > self.limit:
            self.too_large = self.too_large or size - self._held.count(DOTTED) > self.limit
        return used

    def give_up(self) -> None:
        """Read on without keeping anything: the process has no room for this message."""
        self.out_of_memory = True
        self._forget()

    def message(self) -> bytes:
        """The received bytes without the dots of transparency (RFC 5321 4.5.2)."""
        rest = bytes(memoryview(self._held.replace(DOTTED, PLAIN))[self._skip :])
        return self._spool.read() + rest if self._spool.size else rest

    def close(self) -> None:
        """Give back what is held."""
        self._spool.close()

    def _make_room(self) -> None:
        # Dots of transparency count here; the room for them is the reader's, a tenth more than the limit.
        if self._spool.size + len(self._held) > self.limit + self.limit // 10 + 1024:
            self.too_large = True
        if self.too_large or self.out_of_memory:
            self._forget()
        elif len(self._held) > AFTER_BYTES:
            self._to_disk()

    def _to_disk(self) -> None:
        """All up to the last line end, so that neither it nor the dot that may follow is cut in two."""
        cut = self._held.rfind(PLAIN, self._skip + 1, len(self._held) - len(END))
        if cut < 0:
            cut = len(self._held) - len(END)
            for straddled in (0, 1):  # no line end is parted from the dot that may follow it, nor its halves
                if self._held[cut - LEAD + straddled : cut + straddled] == PLAIN:
                    cut -= LEAD - straddled
        if cut <= self._skip:
            return
        head = self._held[:cut].replace(DOTTED, PLAIN)
        try:
            self._spool.write(memoryview(head)[self._skip :])
        except OSError:
            self.give_up()
            return
        del self._held[:cut]
        self._skip = 0

    def _forget(self) -> None:
        self._spool.close()
        del self._held[: -len(END)]


def has_bare_line_end(message: bytes) -> bool:
    """Whether a CR or an LF stands alone (RFC 5321 2.3.8)."""
    pairs = message.count(b"\r\n")
    return message.count(b"\n") != pairs or message.count(b"\r") != pairs
