"""mbox (RFC 4155): one file, messages after `From ` lines. Read line by line, so a file of any size needs the memory of
its largest message.

Quoting: `>From ` of mboxo and `>>From ` of mboxrd both lose one `>`; mboxrd is written. Flags travel as Status,
X-Status and X-Keywords in front of the header, as Dovecot and mutt know them; a block that stands there is ours to take
away again, so that bytes come back as they went.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from mailstore.models import Flag
from mailstore.portable.items import Found, Item, Unreadable, flags_of, names_of

PIECE = 1 << 16
_QUOTED = re.compile(rb"^>+From ")
_TO_QUOTE = re.compile(rb"^(>*From )", re.M)
_DATE = re.compile(rb"(\w{3}) +(\d{1,2}) +(\d\d):(\d\d)(?::(\d\d))? +(?:[A-Z]{3,4} +)?(\d{4})(?: +([+-]\d{4}))?\s*$")
_MONTHS = {name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_FRONT = re.compile(rb"\A(?:(?:Status|X-Status|X-Keywords):[^\r\n]*\r\n)+", re.I)
_FIELD = re.compile(rb"^(Status|X-Status|X-Keywords):[ \t]*([^\r\n]*)", re.I | re.M)
_LETTERS = {
    b"status": {b"R": Flag.SEEN},
    b"x-status": {b"A": Flag.ANSWERED, b"F": Flag.FLAGGED, b"D": Flag.DELETED, b"T": Flag.DRAFT},
}


def read_mbox(path: Path, folder: tuple[str, ...], *, max_bytes: int) -> Iterator[Found]:
    """The messages of a file in their order. One beyond `max_bytes` is Unreadable, and reading goes on after it."""
    with path.open("rb") as file:
        for number, (head, raw) in enumerate(_messages(file, max_bytes), start=1):
            place = f"{path.name} #{number}"
            if raw is None:
                yield Unreadable(place, f"larger than {max_bytes} bytes")
            elif not raw.strip():
                yield Unreadable(place, "empty")
            else:
                yield _item(place, folder, head, raw)


def _messages(file: BinaryIO, max_bytes: int) -> Iterator[tuple[bytes, bytes | None]]:
    """(`From ` line, message) pairs; None for one that is too large."""
    head: bytes | None = None
    held: bytearray | None = bytearray()
    is_start, was_blank = True, True
    while piece := file.readline(PIECE):
        if is_start and was_blank and piece.startswith(b"From "):
            if head is not None:
                yield head, _ended(held)
            head, held, was_blank = piece, bytearray(), False
            is_start = piece.endswith(b"\n")
            continue
        if head is not None and held is not None:
            held += _line(piece, is_start=is_start)
            held = None if len(held) > max_bytes + 2 else held
        was_blank = is_start and piece in (b"\n", b"\r\n")
        is_start = piece.endswith(b"\n")
    if head is not None:
        yield head, _ended(held)


def _line(piece: bytes, *, is_start: bool) -> bytes:
    if is_start and _QUOTED.match(piece):
        piece = piece[1:]
    if piece.endswith(b"\n") and not piece.endswith(b"\r\n"):
        return piece[:-1] + b"\r\n"
    return piece


def _ended(held: bytearray | None) -> bytes | None:
    """Without the blank line that separates it from the next."""
    if held is None:
        return None
    return bytes(held[:-2] if held.endswith(b"\r\n\r\n") or held == b"\r\n" else held)


def _item(place: str, folder: tuple[str, ...], head: bytes, raw: bytes) -> Item:
    front = _FRONT.match(raw)
    header = front[0] if front else raw[: raw.find(b"\r\n\r\n")]
    names = []
    for field, value in _FIELD.findall(header):
        letters = _LETTERS.get(field.lower())
        if letters is None:
            names += value.decode("ascii", "replace").split()
        else:
            names += names_of(sum(flag for letter, flag in letters.items() if letter in value), ())
    flags, keywords = flags_of(names)
    return Item(place, folder, raw[front.end() :] if front else raw, flags, keywords, _date_us(head))


def _date_us(head: bytes) -> int | None:
    """The arrival in a `From ` line: asctime, UTC unless it says more."""
    found = _DATE.search(head)
    if found is None or found[1] not in _MONTHS:
        return None
    month, (day, hour, minute, second, year) = _MONTHS[found[1]], (int(found[number] or 0) for number in range(2, 7))
    try:
        at = datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.UTC)
    except ValueError:
        return None
    offset_minutes = int(found[7][:3]) * 60 + int(found[7][:1] + found[7][3:]) if found[7] else 0
    return int(at.timestamp() - offset_minutes * 60) * 1_000_000


def write_message(file: BinaryIO, item: Item) -> None:
    """Append one message, with LF as every reader of mbox expects. A second is as fine as its date gets."""
    at = datetime.datetime.fromtimestamp((item.internal_us or 0) // 1_000_000, datetime.UTC)
    letters = {
        field: b"".join(letter for letter, flag in known.items() if item.flags & flag)
        for field, known in _LETTERS.items()
    }
    rest = [name for name in names_of(item.flags, item.keywords) if not name.startswith("\\")]
    file.write(f"From MAILER-DAEMON {at.ctime()}\n".encode())
    file.write(b"Status: " + letters[b"status"] + b"O\nX-Status: " + letters[b"x-status"] + b"\n")
    if rest:
        file.write(b"X-Keywords: " + " ".join(rest).encode("ascii", "replace") + b"\n")
    body = item.raw.replace(b"\r\n", b"\n")
    file.write(_TO_QUOTE.sub(rb">\1", body))
    file.write(b"\n" if body.endswith(b"\n") else b"\n\n")
