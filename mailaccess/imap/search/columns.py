"""What a process remembers of the messages of a folder for SEARCH, SORT and THREAD: a column for each thing asked for.

Messages never change, so a column only grows behind its last UID and loses what left the folder. A column of texts is
their lines in one piece of UTF-8: looking for a part of them is one search through memory. All sessions share the columns;
those not used for longest are dropped beyond MAX_BYTES. Those of large folders are kept on the disk for the next process (files.py).
"""

from __future__ import annotations

import datetime
import functools
import re
import threading
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

from mailaccess.imap.grammar.strings import month_number
from mailaccess.imap.search import envelope, files
from mailaccess.imap.search.collation import base_subject, casemap
from mailaccess.imap.search.reading import Column, Reading, Source, Steps, empty
from mailstore.message import ancestor_hashes, header
from mailstore.message.date import date_at
from mailstore.message.scan import ancestors
from mailstore.search.words import fold
from mailstore.selectors.fetch import beginning, fetch_rows

MAX_BYTES = 96 << 20
"""Of all columns of a process. A folder of 100,000 has 4 to 8 MB a column of texts, 0.8 of numbers."""
HEADERS_CHUNK = 64
"""Rows with their bytes."""
HEADER = "header "
"""Before the name of any field of the header, in lower case: a column too, the first time as slow as reading."""
FIELD = "\x01"
MIN_GROWN, GROWN = 500, 64
"""A file is written anew after so many more messages, or after this part of its own: reading those takes some milliseconds."""
SAVED_MAX = 4_096
"""Columns of which it is remembered that they have a file."""
_DAY = re.compile(r'"\s*(?:[A-Za-z]{2,9}[.,]*\s*)?(\d{1,2})[ -]+([A-Za-z]{3})[a-z]*[ -]+(\d{4})\b')


class Columns:
    """The columns of this process. Used on database threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, str], Column] = OrderedDict()
        self._under_way: WeakValueDictionary[tuple[int, str], Reading] = WeakValueDictionary()
        """Held by those who read."""
        self._saved: dict[tuple[int, str], int] = {}
        """How many messages the file of a column has."""

    def lines(self, folder_id: int, uids: array[int], name: str) -> Steps[bytes]:
        """A line for each UID; an empty one for a message that is gone."""
        return (yield from self._column(folder_id, uids, name)).lines

    def numbers(self, folder_id: int, uids: array[int], name: str) -> Steps[array[int]]:
        """A number for each UID; 0 for a message that is gone."""
        found = (yield from self._column(folder_id, uids, name)).numbers
        assert found is not None
        return found

    def remembered(self, folder_id: int, uids: array[int], name: str) -> array[int] | None:
        """A column that was made of others and `keep` kept, if it is of exactly these messages."""
        kept = self._get(folder_id, name)
        return kept.numbers if kept is not None and kept.uids == uids else None

    def keep(self, folder_id: int, uids: array[int], name: str, numbers: array[int]) -> None:
        """Remember what was made of other columns."""
        self._put(folder_id, name, Column(uids, numbers=numbers))

    def forget(self) -> None:
        """Forget everything (tests)."""
        with self._lock:
            self._kept.clear()
            self._under_way.clear()
            self._saved.clear()

    @property
    def size(self) -> int:
        """Bytes held."""
        with self._lock:
            return sum(each.size for each in self._kept.values())

    def _column(self, folder_id: int, uids: array[int], name: str) -> Steps[Column]:
        known = self._get(folder_id, name)
        if known is None and len(uids) >= files.MIN_ROWS:
            known = self._load(folder_id, name)
        if known is not None and known.uids == uids:
            return known
        wanted = uids[-1] if uids else 0
        reached = known.uids[-1] if known is not None and known.uids else 0
        while known is None or reached < wanted:
            reading = self._reading(folder_id, name, known, reached, wanted)
            while not reading.is_done:
                yield not reading.step()
            known, reached = reading.columns[name], reading.last
        found = known.aligned(uids)
        if reached <= wanted:
            self._put(folder_id, name, found)
        return found

    def _reading(self, folder_id: int, name: str, known: Column | None, reached: int, wanted: int) -> Reading:
        """The one that is under way, or a new one from behind what is known."""
        with self._lock:
            reading = self._under_way.get((folder_id, name))
            if reading is None:
                names = TOGETHER if name in TOGETHER and known is None else (name,)
                sources = [(each, _source(each)) for each in names]
                begun = [(each, source, known or empty(source)) for each, source in sources]
                reading = Reading(folder_id, reached + 1, wanted, begun, self._finish)
                self._under_way.update(((folder_id, each), reading) for each in names)
        return reading

    def _finish(self, folder_id: int, read: Mapping[str, Column]) -> None:
        for name, column in read.items():
            self._put(folder_id, name, column)
            with self._lock:
                self._under_way.pop((folder_id, name), None)
        for name, column in read.items():
            self._save(folder_id, name, column)

    def _load(self, folder_id: int, name: str) -> Column | None:
        """From the disk."""
        found = files.load(folder_id, name)
        if found is not None:
            self._put(folder_id, name, found)
            self._saved[folder_id, name] = len(found.uids)
        return found

    def _save(self, folder_id: int, name: str, column: Column) -> None:
        """To the disk, when that is worth it."""
        count, saved = len(column.uids), self._saved.get((folder_id, name))
        if count < files.MIN_ROWS or (saved is not None and abs(count - saved) < max(MIN_GROWN, saved // GROWN)):
            return
        if files.saver.save(folder_id, name, column):
            if len(self._saved) >= SAVED_MAX:
                self._saved.clear()
            self._saved[folder_id, name] = count

    def _get(self, folder_id: int, name: str) -> Column | None:
        with self._lock:
            found = self._kept.get((folder_id, name))
            if found is not None:
                self._kept.move_to_end((folder_id, name))
            return found

    def _put(self, folder_id: int, name: str, column: Column) -> None:
        with self._lock:
            self._kept[folder_id, name] = column
            self._kept.move_to_end((folder_id, name))
            held = sum(each.size for each in self._kept.values())
            while held > MAX_BYTES and len(self._kept) > 1:
                held -= self._kept.popitem(last=False)[1].size


columns = Columns()


def _source(name: str) -> Source:
    return SOURCES[name] if name in SOURCES else _of_header(name.removeprefix(HEADER))


# What columns are made of ---------------------------------------------------------------------------


def _subjects(rows: Sequence[Any]) -> Iterable[str]:
    return (row[1] for row in rows)


def _bases(rows: Sequence[Any]) -> Iterable[str]:
    return (base_subject(row[1])[0] for row in rows)


def _replies(rows: Sequence[Any]) -> Iterable[int]:
    return (int(base_subject(row[1])[1]) for row in rows)


def _of_list(name: str, read: Callable[[str], str], form: Callable[[str], str]) -> Source:
    place = envelope.LISTS.index(name)
    return Source(("envelope",), lambda rows: [read(row[1][place]) for row in rows], form, parse=_lists)


def _lists(rows: Sequence[Any]) -> Sequence[Any]:
    return [(row[0], envelope.lists(row[1])) for row in rows]


def _of_string(name: str) -> Source:
    return Source(("envelope",), lambda rows: (envelope.plain(envelope.part(row[1], name)) for row in rows), fold)


def _of_from(read: Callable[[str], str]) -> Source:
    return Source(("envelope",), lambda rows: (read(envelope.first_list(row[1])) for row in rows), casemap)


def _sent(rows: Sequence[Any]) -> Iterable[int]:
    """RFC 5256 2.2: the Date field, INTERNALDATE where there is none."""
    return (row[1] if row[1] is not None else row[2] for row in rows)


def _sent_days(rows: Sequence[Any]) -> Iterable[int]:
    """The day in the Date field as it stands there, without regard to its zone (RFC 9051 6.4.4); 0 for none."""
    return (sent_day(row[1][1:120]) for row in rows)


def sent_day(text: str) -> int:
    """The proleptic ordinal of the day at the beginning of an envelope; 0 for none."""
    found = _DAY.match(text)
    if found is not None:
        try:
            return _ordinal(found[3], found[2], found[1])
        except ValueError:
            return 0
    quoted = text.split('"', 2)
    at = date_at(quoted[1].encode("utf-8", "replace")) if len(quoted) == 3 and not quoted[0] else None
    return at.date().toordinal() if at is not None else 0


@functools.lru_cache(maxsize=4_096)
def _ordinal(year: str, month: str, day: str) -> int:
    return datetime.date(int(year), month_number(month), int(day)).toordinal()


def _own_ids(rows: Sequence[Any]) -> Iterable[int]:
    return (row[1] or 0 for row in rows)


def _ancestors(rows: Sequence[Any]) -> Iterable[str]:
    """Of a message that an earlier version stored, from its header."""
    return (row[1] if row[1] is not None else _read_ancestors(row[0], row[2]) for row in rows)


def _read_ancestors(uid: int, folder_id: int) -> str:
    for row in fetch_rows(folder_id, uid, uid, ("header_length", "codec", "data", "key", "blob_size")):
        head = beginning(*row[1:], length=row[0])
        return ancestor_hashes(ancestors(header.first_of(header.fields(head, 0, row[0]))))
    return ""


def _of_header(name: str) -> Source:
    """All fields of a name, each behind a mark, so that an empty one is there too."""
    wanted = name.encode("ascii", "replace")

    def text(row: Any) -> str:
        found = header.fields(beginning(*row[2:], length=row[1]), 0, row[1])
        return "".join(f"{FIELD}{header.decoded(value)}" for key, value in found if key.lower() == wanted)

    blob = ("header_length", "codec", "data", "key", "blob_size")
    return Source(blob, lambda rows: map(text, rows), fold, chunk_rows=HEADERS_CHUNK)


def _number(rows: Sequence[Any]) -> Iterable[int]:
    return (row[1] for row in rows)


TOGETHER = envelope.LISTS
"""Read at once: who asks for one soon asks for the others (`OR FROM x OR TO x CC x`), and the reading is the cost."""
SOURCES = {
    "subject": Source(("subject",), _subjects, fold),
    **{name: _of_list(name, envelope.searched, fold) for name in TOGETHER},
    "message-id": _of_string("message-id"),
    "in-reply-to": _of_string("in-reply-to"),
    "by-subject": Source(("subject",), _bases, casemap),
    "is-reply": Source(("subject",), numbers=_replies),
    "by-from": _of_from(envelope.mailbox_key),
    "by-to": _of_list("to", envelope.mailbox_key, casemap),
    "by-cc": _of_list("cc", envelope.mailbox_key, casemap),
    "by-displayfrom": _of_from(envelope.display_key),
    "by-displayto": _of_list("to", envelope.display_key, casemap),
    "sent": Source(("sent_us", "internal_us"), numbers=_sent),
    "sent-day": Source(("envelope",), numbers=_sent_days),
    "internal": Source(("internal_us",), numbers=_number),
    "saved": Source(("saved_us",), numbers=_number),
    "size": Source(("size",), numbers=_number),
    "message": Source(("message",), numbers=_number),
    "own": Source(("own_hash",), numbers=_own_ids),
    "ancestors": Source(("ancestors", "folder"), _ancestors),
}
"""What a folder's messages are known by; `by-` are keys to sort by."""


def with_text(lines: bytes, wanted: bytes, total: int) -> bytearray:
    """A 1 for each line that holds `wanted`; for each that is not empty when `wanted` is."""
    found = bytearray(total)
    if not wanted:
        for at, line in enumerate(lines.split(b"\n")[:-1]):
            found[at] = bool(line)
        return found
    row = begin = 0
    at = lines.find(wanted)
    while at >= 0:
        row += lines.count(b"\n", begin, at)
        found[row] = 1
        begin = lines.find(b"\n", at) + 1
        row += 1
        at = lines.find(wanted, begin)
    return found


def place_of(uids: array[int], uid: int) -> int:
    """The position of a UID, -1 for none."""
    at = bisect_left(uids, uid)
    return at if at < len(uids) and uids[at] == uid else -1
