"""Sets of a view's messages: one integer with a byte for each message, 1 where it is in, the first message lowest.

Joining two sets of 100,000 messages is one operation of some microseconds, and no set is larger than a byte a message.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress

SPARSE = 8
"""Jumping from one to the next is faster when fewer than each eighth is in."""


def every(total: int) -> int:
    """All of them."""
    return of(b"\1" * total)


def of(members: bytes | bytearray) -> int:
    """From a 0 or 1 for each message."""
    return int.from_bytes(members, "little")


def spans(total: int, ranges: Iterable[tuple[int, int]]) -> int:
    """Positions from the first to before the second of each pair."""
    members = bytearray(total)
    for first, after in ranges:
        begin, end = max(0, first), min(after, total)
        if begin < end:
            members[begin:end] = b"\1" * (end - begin)
    return of(members)


def positions(mask: int, total: int) -> list[int]:
    """Ascending positions, from 0."""
    members = mask.to_bytes(total, "little")
    if mask.bit_count() * SPARSE > total:
        return list(compress(range(total), members))
    found = []
    at = members.find(1)
    while at >= 0:
        found.append(at)
        at = members.find(1, at + 1)
    return found
