"""Which messages of a view a search means (RFC 9051 6.4.4): a generator that pauses often and ends with the set.

Every key is asked only about the messages that the keys before it left; in an AND the cheap ones come first: flags and
numbers from the folder's index, then columns in memory, then the words of the mail, and at last what must be read. Texts:

* SUBJECT, FROM, TO, CC, BCC, and HEADER of these fields: part of the decoded field, exactly.
* TEXT and BODY in at most EXACT_MESSAGES messages: part of the decoded text, exactly. In more, the index of words answers,
  as RFC 9051 allows: whole words, the last may go on; what it has not taken in yet is read.
* HEADER of any other field: headers are read, and remembered if most of the folder was asked. A whole Message-ID in brackets is looked up.
"""

from __future__ import annotations

import datetime
import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable

from mailaccess.imap.flags import BITS
from mailaccess.imap.folder_index import index
from mailaccess.imap.grammar.search import (
    Aged,
    And,
    Changed,
    Dated,
    Every,
    Flagged,
    HasHeader,
    Holds,
    Identified,
    Key,
    Not,
    Numbered,
    Or,
    Recent,
    Sized,
)
from mailaccess.imap.search import letters, masks
from mailaccess.imap.search.collation import folded
from mailaccess.imap.search.columns import HEADER, columns, place_of, with_text
from mailaccess.imap.search.reading import Steps
from mailaccess.imap.view import View
from mailstore.message import message_id_hash
from mailstore.selectors import words
from mailstore.selectors.folder_state import changed_rows
from mailstore.selectors.keywords import keywords

EXACT_MESSAGES = 200
"""So many messages are read for a TEXT or BODY: 60 ms. Of more, the index tells."""
VERIFIED_MESSAGES = 1_000
"""BODY reads so many messages whose header has the words; the index can't tell them from those of the body. Of more that
have them, all are taken."""
FEW = 4
"""The headers of less than a quarter of a folder are read for the one command; those of more are remembered."""
MICROSECONDS = 1_000_000

_HEADERS = frozenset({"subject", "from", "to", "cc", "bcc", "message-id", "in-reply-to"})
"""Fields that are columns."""


class Evaluator:
    """One search of one view; `total` messages by position from 0. `now_s` is the clock of YOUNGER and OLDER."""

    def __init__(self, view: View, now_s: float) -> None:
        self.view = view
        self.uids: array[int] = view.uids
        self.total = len(self.uids)
        self.now_s = now_s
        snapshot = index.current(view.folder_id)
        self.everything = masks.every(self.total)
        self._snapshot = snapshot
        self._places = [snapshot.position(uid) for uid in self.uids] if snapshot.uids != self.uids else None
        self.present = self.everything if self._places is None else masks.of(bytes(at >= 0 for at in self._places))

    def result(self, key: Key) -> Steps[int]:
        """The messages that the key means; those that left the folder are in no answer."""
        return (yield from self._of(key, self.present))

    def _of(self, key: Key, within: int) -> Steps[int]:
        if not within:
            return 0
        if isinstance(key, And):
            for each in sorted(key.keys, key=_cost):
                within = yield from self._of(each, within)
            return within
        if isinstance(key, Or):
            left, right = sorted((key.left, key.right), key=_cost)
            found = yield from self._of(left, within)
            return found | (yield from self._of(right, within & ~found))
        if isinstance(key, Not):
            return within & ~(yield from self._of(key.key, within))
        return within & (yield from self._leaf(key, within))

    def _leaf(self, key: Key, within: int) -> Steps[int]:
        yield False
        match key:
            case Every():
                return within
            case Recent():
                return masks.spans(self.total, (self._span(first, last) for first, last in self.view.recent))
            case Flagged(name):
                return self._flagged(name)
            case Numbered():
                return self._numbered(key)
            case Holds(("text" | "body") as field, value):
                return (yield from self._words(value, within, with_header=field == "text"))
            case Holds(field, value):
                return (yield from self._line(field, value))
            case HasHeader(name, value):
                return (yield from self._header(name, value, within))
            case Dated(which, first, last):
                return (yield from self._dated(which, first, last))
            case Sized(size_bytes, larger):
                test: Callable[[int], bool] = size_bytes.__lt__ if larger else size_bytes.__gt__
                return (yield from self._numbers("size", test))
            case Aged(seconds, younger):
                moment = round((self.now_s - seconds) * MICROSECONDS)
                return (yield from self._numbers("internal", moment.__le__ if younger else moment.__ge__))
            case Changed(modseq):
                return self._changed(modseq)
            case Identified(kind, number):
                return (yield from self._identified(kind, number))
        raise AssertionError(key)

    # From the folder's index ----------------------------------------------------------------------

    def _flagged(self, name: str) -> int:
        bit = BITS.get(name)
        if bit is None:
            if name.startswith("\\"):
                return 0
            at = next((row.bit for row in keywords(self.view.access) if row.atom.upper() == name), None)
            if at is None:
                return 0
            return self._with_bit(self._of_view(self._snapshot.keywords), at)
        return self._with_bit(self._of_view(self._snapshot.flags), bit.bit_length() - 1)

    def _of_view(self, numbers: array[int]) -> array[int]:
        """The snapshot's numbers for the view's messages; 0 for one that is gone."""
        if self._places is None:
            return numbers
        return array(numbers.typecode, [numbers[at] if at >= 0 else 0 for at in self._places])

    def _with_bit(self, numbers: array[int], bit: int) -> int:
        """The byte that holds the bit, of every message, through a table."""
        place = bit // 8
        width = numbers.itemsize
        column = numbers.tobytes()[place if sys.byteorder == "little" else width - 1 - place :: width]
        low = 1 << bit % 8
        return masks.of(column.translate(bytes(bool(value & low) for value in range(256))))

    def _numbered(self, key: Numbered) -> int:
        asked = key.numbers
        if not self.total:
            return 0
        if asked.is_saved or key.by_uid:
            ranges = self.view.chosen(asked, by_uid=True) or []
            return masks.spans(self.total, (self._span(first, last) for first, last in ranges))
        return masks.spans(self.total, ((first - 1, last) for first, last in asked.resolved(self.total)))

    def _span(self, first: int, last: int) -> tuple[int, int]:
        return bisect_left(self.uids, first), bisect_left(self.uids, last + 1)

    def _changed(self, modseq: int) -> int:
        rows = changed_rows(self.view.folder_id, modseq - 1, sys.maxsize >> 1) if modseq else None
        if rows is None:
            return self.everything
        return self._at(row[0] for row in rows)

    def _at(self, uids: Iterable[int]) -> int:
        found = bytearray(self.total)
        for uid in uids:
            place = place_of(self.uids, uid)
            if place >= 0:
                found[place] = 1
        return masks.of(found)

    # From columns ---------------------------------------------------------------------------------

    def _line(self, name: str, value: str) -> Steps[int]:
        lines = yield from columns.lines(self.view.folder_id, self.uids, name)
        return masks.of(with_text(lines, folded(value).encode("utf-8", "replace"), self.total))

    def _numbers(self, name: str, test: Callable[[int], bool]) -> Steps[int]:
        numbers = yield from columns.numbers(self.view.folder_id, self.uids, name)
        return masks.of(bytes(map(test, numbers)))

    def _dated(self, which: str, first: datetime.date | None, last: datetime.date | None) -> Steps[int]:
        if which == "sent":
            low = first.toordinal() if first else 1
            high = last.toordinal() if last else sys.maxsize
            return (yield from self._numbers("sent-day", lambda day: low <= day < high))
        start, end = _midnight(first, -sys.maxsize), _midnight(last, sys.maxsize)
        return (yield from self._numbers(which, lambda at_us: start <= at_us < end))

    def _identified(self, kind: str, number: int) -> Steps[int]:
        if kind == "email":
            return (yield from self._numbers("message", number.__eq__))
        return (yield from self._messages(words.in_thread(self.view.access, number) if number >= 0 else []))

    def _messages(self, message_ids: Iterable[int]) -> Steps[int]:
        """Where the messages stand here."""
        wanted = frozenset(message_ids)
        return (yield from self._numbers("message", wanted.__contains__)) if wanted else 0

    # From letters ---------------------------------------------------------------------------------

    def _header(self, name: str, value: str, within: int) -> Steps[int]:
        if name == "message-id" and value[:1] == "<" and value[-1:] == ">" and "@" in value and '"' not in value:
            found = words.with_message_id(self.view.access, message_id_hash(value))
            return (yield from self._messages(found))
        if name in _HEADERS:
            return (yield from self._line(name, value))
        if within.bit_count() * FEW >= self.total:
            return (yield from self._line(HEADER + name, value))
        return (yield from self._read(letters.in_header(name, value), within, head=True))

    def _read(self, test: letters.Test, within: int, *, head: bool = False) -> Steps[int]:
        return (yield from letters.matching(self.view.folder_id, self.uids, within, test, head=head))

    def _words(self, value: str, within: int, *, with_header: bool) -> Steps[int]:
        if not value:
            return within
        test = letters.in_text(value, with_header=with_header)
        asked = words.asked(value)
        if asked is None or within.bit_count() <= EXACT_MESSAGES:
            return (yield from self._read(test, within))
        access = self.view.access
        late = yield from self._messages(words.waiting(access))  # before the index: see mailstore.selectors.words
        late |= self._flagged("\\DRAFT")  # a draft's copy is never in it
        found = yield from self._messages(words.holders(access, asked.anywhere))
        found &= within
        if not with_header:
            doubtful = found & (yield from self._messages(words.holders(access, asked.header)))
            if doubtful.bit_count() <= VERIFIED_MESSAGES:
                found = found & ~doubtful | (yield from self._read(test, doubtful))
        return found | (yield from self._read(test, late & within & ~found))


def _cost(key: Key) -> int:
    """In which order the keys of an AND are asked."""
    match key:
        case Not(inner):
            return _cost(inner)
        case And(keys):
            return max(map(_cost, keys))
        case Or(left, right):
            return max(_cost(left), _cost(right))
        case Every() | Recent() | Flagged() | Numbered():
            return 0
        case Holds("text" | "body"):
            return 3
        case HasHeader(name) if name not in _HEADERS:
            return 4
        case Holds() | HasHeader():
            return 2
    return 1


def _midnight(day: datetime.date | None, missing: int) -> int:
    """INTERNALDATE is told in UTC, so its days begin there."""
    if day is None:
        return missing
    return (day - datetime.date(1970, 1, 1)).days * 86_400 * MICROSECONDS
