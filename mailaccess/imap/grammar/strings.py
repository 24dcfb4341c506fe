"""How values are written: quoted where that is allowed, else as literals; flags; dates (RFC 9051 9)."""

from __future__ import annotations

import datetime
import re

from mailaccess.imap.grammar.names import encode_utf7

_PLAIN = re.compile(rb"[\x20\x21\x23-\x5b\x5d-\x7e]*\Z")
_PLAIN_UTF8 = re.compile(rb"[^\x00-\x1f\x7f\"\\]*\Z")
_ATOM = re.compile(r"[^\x00-\x20\x7f-\U0010ffff(){%*\"\\\]]+\Z")
_ASTRING = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\]+\Z")
QUOTED_MAX = 1_000
"""Longer strings are literals: old clients read lines into small buffers."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def string(value: bytes, *, utf8: bool = False) -> bytes:
    """A quoted string, or a literal where quotes can't hold it."""
    plain = _PLAIN_UTF8 if utf8 else _PLAIN
    if len(value) <= QUOTED_MAX:
        if plain.match(value):
            return b'"' + value + b'"'
        escaped = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        if plain.match(value.replace(b"\\", b"").replace(b'"', b"")):
            return b'"' + escaped + b'"'
    return literal(value)


def literal(value: bytes) -> bytes:
    """`{n}` and the bytes."""
    return b"{%d}\r\n%b" % (len(value), value)


def astring(value: bytes) -> bytes:
    """An atom where that is possible, else a string."""
    return value if _ASTRING.match(value) else string(value)


def nstring(value: bytes | None, *, utf8: bool = False) -> bytes:
    """A string, or NIL."""
    return b"NIL" if value is None else string(value, utf8=utf8)


def mailbox(name: str, *, utf8: bool) -> bytes:
    """A mailbox name: an atom where possible, else quoted; modified UTF-7 unless UTF-8 is enabled."""
    text = name if utf8 else encode_utf7(name)
    return text.encode() if _ATOM.match(text) else string(text.encode(), utf8=utf8)


def date_time(at: datetime.datetime) -> str:
    """INTERNALDATE: `" 5-Jan-2026 09:00:00 +0800"` with its quotes."""
    offset = at.strftime("%z")[:5] or "+0000"
    return f'"{at.day:2d}-{_MONTHS[at.month - 1]}-{at.year:04d} {at:%H:%M:%S} {offset}"'


def month_number(name: str) -> int:
    """1 for Jan; 0 for what is no month."""
    return next((number for number, month in enumerate(_MONTHS, 1) if month.lower() == name.lower()), 0)
