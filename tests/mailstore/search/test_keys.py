"""Keys of the index."""

from __future__ import annotations

from mailstore.fields import mailbox_of
from mailstore.search.keys import EPOCH_S, KeyGiver, bounds, first_key

SECOND_US = 1_000_000


def test_later_mail_has_a_higher_key_and_a_mailbox_is_a_range() -> None:
    early, late = first_key(7, (EPOCH_S + 5) * SECOND_US), first_key(7, (EPOCH_S + 6) * SECOND_US)
    low, high = bounds(7)
    assert low < early < late < high
    assert mailbox_of(late) == 7


def test_times_outside_the_range_are_its_ends() -> None:
    assert first_key(7, -1) == bounds(7)[0]
    assert bounds(7)[0] < first_key(7, 1 << 62) <= bounds(7)[1]


def test_a_full_second_borrows_from_the_next_and_never_gives_a_key_twice() -> None:
    used: set[int] = set()
    looked: list[int] = []

    def taken(low: int, high: int) -> set[int]:
        looked.append(low)
        return {key for key in used if low <= key <= high}

    giver = KeyGiver(taken)
    at_us = (EPOCH_S + 100) * SECOND_US
    for number in range(500):
        key = giver.give(7, at_us if number % 5 else at_us + SECOND_US)
        assert key not in used
        used.add(key)
    assert len(looked) < 600, "it remembers how far a second has borrowed"
    assert min(used) == first_key(7, at_us)
