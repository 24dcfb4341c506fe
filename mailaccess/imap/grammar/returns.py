"""RETURN options of SEARCH and SORT (RFC 4731, RFC 5182 2, RFC 5267 3.3, RFC 9394 3.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailaccess.imap.grammar.cursor import MAX_NUMBER, Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError

_PARTIAL = re.compile(rb"(-?)(\d{1,10}):(-?)(\d{1,10})(?![0-9:])")


@dataclass(frozen=True, slots=True)
class Part:
    """The `first` to `last` of the results, counted from 1; `from_end` counts backwards."""

    first: int
    last: int
    from_end: bool = False

    def __str__(self) -> str:
        sign = "-" if self.from_end else ""
        return f"{sign}{self.first}:{sign}{self.last}"

    def place(self, total: int) -> tuple[int, int]:
        """As a slice of `total` results."""
        if self.from_end:
            return max(0, total - self.last), max(0, total - self.first + 1)
        return self.first - 1, min(self.last, total)


@dataclass(frozen=True, slots=True)
class Returns:
    """What is told: names of `min`, `max`, `all`, `count`; whether the result is kept for `$`; a part of it."""

    wanted: frozenset[str]
    save: bool = False
    partial: Part | None = None

    @property
    def is_silent(self) -> bool:
        """SAVE alone tells nothing (RFC 5182 2.1)."""
        return self.save and not self.wanted and self.partial is None


def returns(cursor: Cursor) -> Returns:
    """`(option option …)`; nothing means ALL (RFC 4731 3.1)."""
    names: set[str] = set()
    parts: list[Part] = []

    def option() -> None:
        word = cursor.atom().upper()
        if word == b"PARTIAL":
            cursor.space()
            parts.append(partial(cursor))
        elif word in {b"MIN", b"MAX", b"ALL", b"COUNT", b"SAVE"}:
            names.add(word.decode().lower())
        else:
            raise ImapSyntaxError("unknown return option")

    cursor.listed(option, may_be_empty=True)
    if len(parts) > 1 or (parts and "all" in names):  # RFC 9394 3.1
        raise ImapSyntaxError("PARTIAL stands for itself")
    save = "save" in names
    wanted = names - {"save"} or (set() if save or parts else {"all"})
    return Returns(frozenset(wanted), save, parts[0] if parts else None)


def partial(cursor: Cursor) -> Part:
    """`1:500`, or `-1:-500` from the end; ends in any order."""
    found = cursor.match(_PARTIAL, "a partial range")
    first, last = sorted((int(found[2]), int(found[4])))
    if found[1] != found[3] or not first or last > MAX_NUMBER:
        raise ImapSyntaxError("bad partial range")
    return Part(first, last, from_end=bool(found[1]))
