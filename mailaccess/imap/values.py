"""How values of a FETCH answer are written that need no more than a row (RFC 9051 7.5.2)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from mailaccess.imap.grammar.fetch import Item, Section
from mailaccess.imap.grammar.strings import literal, string
from mailaccess.imap.section import told

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NEEDS: dict[bytes, tuple[str, ...]] = {
    b"UID": (),
    b"FLAGS": ("flags", "keywords"),
    b"INTERNALDATE": ("internal_us",),
    b"SAVEDATE": ("saved_us",),
    b"RFC822.SIZE": ("size",),
    b"ENVELOPE": ("envelope",),
    b"BODYSTRUCTURE": ("bodystructure",),
    b"MODSEQ": ("modseq",),
    b"EMAILID": ("message",),
    b"THREADID": ("thread",),
    b"PREVIEW": ("preview",),
}
"""Columns of `mailstore.selectors.fetch`, the value's own first."""
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


def is_fields(item: Item) -> bool:
    """Whether it is some fields of the message's header, which are remembered (mailaccess.imap.header_fields)."""
    section = item.section
    return item.name == b"BODY" and section is not None and not section.part and section.text == "HEADER.FIELDS"


def internal_date(at_us: int) -> str:
    """A moment as INTERNALDATE tells it, in UTC, with its quotes."""
    at = time.gmtime(at_us // 1_000_000)
    return (
        f'"{at.tm_mday:2d}-{_MONTHS[at.tm_mon - 1]}-{at.tm_year:04d} '
        f'{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d} +0000"'
    )


def row_writer(name: bytes, at: int) -> Callable[[Any], bytes]:
    """What writes one of NEEDS whose column is the one at `at`."""
    made: dict[bytes, Callable[[Any], bytes]] = {
        b"INTERNALDATE": lambda row: b"INTERNALDATE " + internal_date(row[at]).encode(),
        b"SAVEDATE": lambda row: b"SAVEDATE " + internal_date(row[at]).encode(),
        b"RFC822.SIZE": lambda row: b"RFC822.SIZE %d" % row[at],
        b"ENVELOPE": lambda row: b"ENVELOPE " + row[at].encode(),
        b"BODYSTRUCTURE": lambda row: b"BODYSTRUCTURE " + row[at].encode(),
        b"MODSEQ": lambda row: b"MODSEQ (%d)" % row[at],
        b"EMAILID": lambda row: b"EMAILID (M%x)" % row[at],
        b"THREADID": lambda row: b"THREADID (T%x)" % row[at],
        b"PREVIEW": lambda row: b"PREVIEW " + string(row[at].encode()),
    }
    return made[name]


def fields_writer(item: Item, texts: Mapping[int, bytes]) -> Callable[[Any], bytes]:
    """What writes some header fields that are known by UID, the first column."""
    label = item.label() + b" "
    if item.partial is not None:
        return lambda row: label + literal(partial(texts[row[0]], item))

    def write(row: Any) -> bytes:
        text = texts[row[0]]
        return b"%b{%d}\r\n%b" % (label, len(text), text)

    return write


def body_literal(value: bytes) -> bytes:
    """A literal of what is stored."""
    return literal(told(value))


def partial(value: bytes, item: Item) -> bytes:
    return value if item.partial is None else value[item.partial[0] : item.partial[0] + item.partial[1]]
