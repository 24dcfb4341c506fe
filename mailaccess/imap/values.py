"""How values of a FETCH answer are written that need no more than a row (RFC 9051 7.5.2)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from mailaccess.imap.grammar.fetch import Item, Section
from mailaccess.imap.grammar.strings import literal
from mailaccess.imap.section import these_fields
from mailstore.selectors.fetch import beginning

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
AS_SECTION = {
    b"RFC822": Section(),
    b"RFC822.HEADER": Section((), "HEADER"),
    b"RFC822.TEXT": Section((), "TEXT"),
}


def shows_body(item: Item) -> bool:
    """Whether somebody who fetches it has the text of a mail, or a part of it."""
    section = item.section or AS_SECTION.get(item.name)
    if section is None or item.name == b"BINARY.SIZE":
        return False
    return not section.text.startswith(("HEADER", "MIME"))


def internal_date(at_us: int) -> str:
    """A moment as INTERNALDATE tells it, in UTC, with its quotes."""
    at = time.gmtime(at_us // 1_000_000)
    return (
        f'"{at.tm_mday:2d}-{_MONTHS[at.tm_mon - 1]}-{at.tm_year:04d} '
        f'{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d} +0000"'
    )


def fields_writer(item: Item, section: Section, at: Sequence[int]) -> Callable[[Any], bytes]:
    """Some fields of the header and nothing else of the mail: what lists of all programs are made of."""
    found_in = these_fields(section.fields).findall
    label = item.label() + b" "
    columns = itemgetter(*at)

    def write(row: Any) -> bytes:
        header_length, codec, data, key, size = columns(row)
        head = beginning(codec, data, key, size, length=header_length)
        return label + body_literal(partial(b"".join(found_in(head)) + b"\r\n", item))

    return write


def body_literal(value: bytes) -> bytes:
    """A literal of what is stored. A NUL in it (from servers that let one pass) would be an error of ours (RFC 9051 4.3):
    it is told as 0x80, so that sizes and offsets stay; BINARY tells it as it is."""
    return literal(value.replace(b"\0", b"\x80") if b"\0" in value else value)


def partial(value: bytes, item: Item) -> bytes:
    return value if item.partial is None else value[item.partial[0] : item.partial[0] + item.partial[1]]
