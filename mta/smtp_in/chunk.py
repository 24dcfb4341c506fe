"""Reading BDAT chunks (RFC 3030): counted bytes in, one message out; no sockets, no dots, no end to look for.

The interface is `DataReader`'s; one reader lives through all chunks of a message.
"""

from __future__ import annotations

import re

from mta.smtp_in.session import Envelope
from mta.smtp_in.spool import AFTER_BYTES, Spool

_ARGUMENT = re.compile(r"([0-9]{1,20})(?: +(LAST))?", re.IGNORECASE)


class ChunkReader:
    """Takes what `begin` announced. Beyond `limit` bytes it reads on, forgets, and reports `too_large`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.too_large = False
        self.out_of_memory = False
        self.is_last = False
        self._held = bytearray()
        self._spool = Spool()
        self._left = 0

    @property
    def spooled_bytes(self) -> int:
        """What lies on the disk."""
        return self._spool.size

    @property
    def held_bytes(self) -> int:
        """Memory this reader holds now."""
        return len(self._held)

    def begin(self, size: int, *, is_last: bool) -> None:
        """A chunk of `size` bytes follows; what can't fit any more is not even kept."""
        self._left = size
        self.is_last = is_last
        if self._spool.size + len(self._held) + size > self.limit:
            self.too_large = True
            self._forget()

    def feed(self, block: bytes | bytearray | memoryview) -> int:
        """Take from `block`; return how many bytes of it belong to the chunk, or -1 while it is not complete."""
        used = min(len(block), self._left)
        self._left -= used
        if not (self.too_large or self.out_of_memory):
            self._held += block[:used]
            if len(self._held) > AFTER_BYTES:
                self._to_disk()
        return -1 if self._left else used

    def give_up(self) -> None:
        """Read on without keeping anything: the process has no room for this message."""
        self.out_of_memory = True
        self._forget()

    def message(self) -> bytes:
        """All chunks."""
        return self._spool.read() + bytes(self._held)

    def close(self) -> None:
        """Give back what is held."""
        self._spool.close()

    def _to_disk(self) -> None:
        try:
            self._spool.write(self._held)
            self._held.clear()
        except OSError:
            self.give_up()

    def _forget(self) -> None:
        self._spool.close()
        self._held.clear()


def parse_bdat(argument: str) -> tuple[int, bool] | None:
    """Size and whether it is the last chunk; None for anything else."""
    found = _ARGUMENT.fullmatch(argument)
    return (int(found[1]), found[2] is not None) if found else None


class Chunks:
    """What was read by BDAT, and of which envelope; another envelope means that it is void."""

    def __init__(self) -> None:
        self._envelope: Envelope | None = None
        self._reader = ChunkReader(0)

    def are_of(self, envelope: Envelope) -> bool:
        """Whether it has begun."""
        return self._envelope is envelope

    def reader(self, envelope: Envelope, largest_bytes: int) -> ChunkReader:
        """For the next chunk."""
        if not self.are_of(envelope):
            self._envelope, self._reader = envelope, ChunkReader(largest_bytes)
        return self._reader
