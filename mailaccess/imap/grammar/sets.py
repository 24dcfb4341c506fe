"""Sequence sets (RFC 9051 9, `sequence-set`) and the way to write them short."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mailaccess.imap.grammar.cursor import MAX_NUMBER, Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError

_SET = re.compile(rb"[0-9:*,]+")
STAR = 0
"""`*` while it is not known how many messages there are."""


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """Ranges of numbers; 0 stands for `*`. `is_saved` is `$`, the last search's result (RFC 5182)."""

    ranges: tuple[tuple[int, int], ...]
    is_saved: bool = False

    def resolved(self, largest: int) -> list[tuple[int, int]]:
        """Ascending ranges without overlap, `*` being `largest`. May name more than there is (RFC 3501 6.4.8)."""
        ordered = sorted(
            (min(first or largest, last or largest), max(first or largest, last or largest))
            for first, last in self.ranges
        )
        return joined(ordered)


def sequence_set(cursor: Cursor) -> SequenceSet:
    """`1:4,9,20:*`, or `$`."""
    if cursor.skip(b"$"):
        return SequenceSet((), is_saved=True)
    return parse_set(cursor.match(_SET, "a sequence set")[0])


def parse_set(text: bytes) -> SequenceSet:
    """The set that `text` is."""
    return SequenceSet(tuple(_range(part) for part in text.split(b",")))


def joined(ordered: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ascending ranges with neighbours and overlaps made one."""
    found: list[tuple[int, int]] = []
    for first, last in ordered:
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def ranges_of(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Ascending numbers as ranges."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return [(first, last) for first, last in found]


def after(ranges: Iterable[tuple[int, int]], number: int) -> list[tuple[int, int]]:
    """What of ascending ranges lies behind a number."""
    return [(max(first, number + 1), last) for first, last in ranges if last > number]


def within(ranges: Iterable[tuple[int, int]], limit: int) -> list[tuple[int, int]]:
    """What of ascending ranges lies below a number."""
    return [(first, min(last, limit - 1)) for first, last in ranges if first < limit]


def written(ranges: Iterable[tuple[int, int]]) -> str:
    """`1:4,9`."""
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in ranges)


def _range(text: bytes) -> tuple[int, int]:
    first, colon, last = text.partition(b":")
    return _number(first), _number(last if colon else first)


def _number(text: bytes) -> int:
    if text == b"*":
        return STAR
    if not text.isdigit() or len(text) > 10 or not 0 < int(text) <= MAX_NUMBER:
        raise ImapSyntaxError("bad sequence set")
    return int(text)
