"""SORT's criteria (RFC 5256 3, RFC 5957 3)."""

from __future__ import annotations

from dataclasses import dataclass

from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError

NAMES = frozenset({"ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO"})
MAX_CRITERIA = 20


@dataclass(frozen=True, slots=True)
class Criterion:
    """`name` is one of NAMES."""

    name: str
    reverse: bool = False


def criteria(cursor: Cursor) -> list[Criterion]:
    """`(REVERSE DATE SUBJECT …)`."""

    def one() -> Criterion:
        word = cursor.atom().upper().decode("ascii")
        reverse = word == "REVERSE"
        if reverse:
            cursor.space()
            word = cursor.atom().upper().decode("ascii")
        if word not in NAMES:
            raise ImapSyntaxError("unknown sort criterion")
        return Criterion(word, reverse)

    found = cursor.listed(one)
    if len(found) > MAX_CRITERIA:
        raise ImapSyntaxError("too many sort criteria")
    return found
