"""Keys of the index: mailbox << 36 | received second since 2000 << 5 | sequence. Newest first is descending order, and a
mailbox is a range. 31 bits of seconds last until 2068; a 33rd message of a second borrows from the next one."""

from __future__ import annotations

from collections.abc import Callable

from mailstore.fields import COUNTER_BITS

SEQUENCE_BITS = 5
EPOCH_S = 946_684_800
"""2000-01-01."""
MAX_SECOND = (1 << (COUNTER_BITS - SEQUENCE_BITS)) - 1


def first_key(mailbox: int, received_us: int) -> int:
    """The lowest key of a message received then."""
    second = min(max(received_us // 1_000_000 - EPOCH_S, 0), MAX_SECOND)
    return mailbox << COUNTER_BITS | second << SEQUENCE_BITS


def bounds(mailbox: int) -> tuple[int, int]:
    """The lowest and the highest key of a mailbox."""
    return mailbox << COUNTER_BITS, (mailbox + 1 << COUNTER_BITS) - 1


class KeyGiver:
    """Gives free keys. `taken` reads the keys in use between two (both included). It remembers how far a full second has
    borrowed, so that 100,000 mails of one second cost 100,000 steps and not their square."""

    def __init__(self, taken: Callable[[int, int], set[int]]) -> None:
        self._taken = taken
        self._full: dict[int, int] = {}

    def give(self, mailbox: int, received_us: int) -> int:
        """The lowest free key from the message's second on."""
        start = first_key(mailbox, received_us)
        low = self._full.get(start, start)
        while True:
            high = low | (1 << SEQUENCE_BITS) - 1
            used = self._taken(low, high)
            free = next((key for key in range(low, high + 1) if key not in used), None)
            if free is not None:
                if low != start:
                    self._full[start] = low
                return free
            low = high + 1
            if low > bounds(mailbox)[1]:
                low = bounds(mailbox)[0]
