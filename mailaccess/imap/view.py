"""A selected mailbox as one session knows it: message numbers, and what has to be told (RFC 9051 5.2, 7.4.1).

Message numbers stand for UIDs in the order that this session was told. Until a command needs them nothing is read:
SELECT of a large folder costs what SELECT of a small one does. All methods run on database threads and return bytes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from core.access import Access
from mailaccess.imap.flags import RECENT, FlagNames, state_of
from mailaccess.imap.folder_index import MAX_CHANGES, index
from mailaccess.imap.grammar.returns import Part
from mailaccess.imap.grammar.sets import SequenceSet, joined, ranges_of, written
from mailaccess.imap.recent import recents
from mailstore.selectors.folder_state import FolderChanges, changed_rows, changes_after, count_above, folder_state

Ranges = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Telling:
    """How this session wants to hear of changes."""

    expunge: bool = True
    """False while a command runs whose client counts by number (RFC 9051 7.5.1: FETCH, STORE, SEARCH)."""
    vanished: bool = False
    """QRESYNC is enabled: VANISHED instead of EXPUNGE (RFC 7162 3.2.10)."""
    modseq: bool = False
    """CONDSTORE is enabled."""
    flags: bool = True
    """False for a client that wants to hear of no flags (RFC 5465)."""


@dataclass(slots=True)
class View:
    """`total`, `uidnext` and `modseq` are what the client was told."""

    name: str
    access: Access
    folder_id: int
    read_only: bool
    total: int
    uidnext: int
    modseq: int
    flag_names: FlagNames
    saved: Ranges = field(default_factory=list)
    """UIDs of the last saved search, `$` (RFC 5182)."""
    own_changes: dict[int, int] = field(default_factory=dict)
    """UID to state, of changes whose result this session was already told."""
    knows_recent: bool = False
    """False for a client of IMAP4rev2, which has no `\\Recent`."""
    recent: Ranges = field(default_factory=list)
    """UIDs of messages that no session was told of before (RFC 3501 2.3.2)."""
    recent_total: int = 0
    _uids: array[int] | None = None
    _left: set[int] = field(default_factory=set)
    """UIDs that are gone and were not yet told."""

    @property
    def uids(self) -> array[int]:
        """The UIDs by message number (the first is number 1); reads the folder's index at the first call."""
        if self._uids is None:
            self._uids = self._as_told()
        return self._uids

    def uid_of(self, number: int) -> int:
        """The UID of a message number, 0 beyond the end."""
        return self.uids[number - 1] if 0 < number <= len(self.uids) else 0

    def number_of(self, uid: int) -> int:
        """The message number of a UID, 0 for none."""
        at = bisect_left(self.uids, uid)
        return at + 1 if at < len(self.uids) and self.uids[at] == uid else 0

    def numbers_of(self, uids: Sequence[int]) -> Sequence[int]:
        """`number_of` ascending UIDs; mostly they come one after the other."""
        at = bisect_left(self.uids, uids[0]) if uids else 0
        if self.uids[at : at + len(uids)] == array("I", uids):
            return range(at + 1, at + 1 + len(uids))
        return list(map(self.number_of, uids))

    def chosen(self, asked: SequenceSet, *, by_uid: bool) -> Ranges | None:
        """The UIDs of a sequence set, as ranges that hold no other message of this view; None for a number that is no
        message's (RFC 9051 6.4.9: an error, but UIDs that don't exist are not)."""
        if asked.is_saved:
            return self.saved
        if by_uid:
            largest = (self.uids[-1] if self.uids else 0) if any(0 in pair for pair in asked.ranges) else 0
            return asked.resolved(largest or self.uidnext)
        ranges = asked.resolved(self.total)
        if not ranges:
            return []
        if not self.total or ranges[-1][1] > self.total:
            return None
        if ranges == [(1, self.total)] and self._uids is None:
            return [(1, max(1, self.uidnext - 1))]
        return joined(pair for first, last in ranges for pair in self._span(first, last))

    def _span(self, first: int, last: int) -> Ranges:
        """A run of message numbers as one range: between its ends there is no other message of this view."""
        return [(self.uids[first - 1], self.uids[last - 1])]

    def open_recent(self, stored: int) -> None:
        """What is recent now is this session's; who may only look leaves it to the next one (RFC 3501 6.3.2)."""
        last = self.uidnext - 1
        before = (
            recents.told(self.folder_id, stored=stored)
            if self.read_only
            else recents.take(self.folder_id, last, stored=stored)
        )
        self.knows_recent = True
        if before < last:
            self.recent = [(before + 1, last)]
            self.recent_total = self._count_above(before) if before else self.total

    def _count_above(self, uid: int) -> int:
        """How many messages of this view have a higher UID; others may have changed the folder since it was read."""
        count, modseq = count_above(self.folder_id, uid)
        return count if modseq == self.modseq else len(self.uids) - bisect_left(self.uids, uid + 1)

    def is_recent(self, uid: int) -> bool:
        """Whether the message is `\\Recent` here."""
        at = bisect_left(self.recent, (uid + 1, 0)) - 1
        return at >= 0 and uid <= self.recent[at][1]

    def flags_text(self, uid: int, state: int) -> str:
        """The inside of `FLAGS (…)` of a message."""
        text = self.flag_names.text(state)
        return f"{RECENT} {text}".rstrip() if self.recent and self.is_recent(uid) else text

    def some_of(self, ranges: Ranges, part: Part) -> Ranges:
        """The messages that `part` takes out of those in UID ranges, counted as they stand here (RFC 9394)."""
        spans = [(bisect_left(self.uids, first), bisect_left(self.uids, last + 1)) for first, last in ranges]
        begin, end = part.place(sum(after - first for first, after in spans))
        found: Ranges = []
        for first, after in spans:
            low, high = first + max(0, begin), first + min(end, after - first)
            if low < high:
                found.append((self.uids[low], self.uids[high - 1]))
            begin, end = begin - (after - first), end - (after - first)
        return found

    def news(self, telling: Telling) -> bytes:
        """Everything to tell: EXPUNGE or VANISHED, then EXISTS, then FETCH; the view knows it afterwards."""
        if not self._left and folder_state(self.folder_id).modseq == self.modseq:
            return b""
        changes = changes_after(self.folder_id, self.modseq, MAX_CHANGES) or self._all_changes()
        if not (changes.rows or changes.gone or self._left) and changes.modseq == self.modseq:
            return b""
        told = b""
        self._note_gone(changes.gone)
        if telling.expunge and self._left:
            told += self._expunged(telling)
        known = [row for row in changes.rows if row[0] < self.uidnext]
        told += self._arrived([row[0] for row in changes.rows if row[0] >= self.uidnext])
        changed = self._changed(known, telling)
        told += self.flag_names.announcement() + changed
        self.modseq = max(self.modseq, changes.modseq)
        self.own_changes.clear()
        return told

    def _note_gone(self, gone: Ranges) -> None:
        before = [(first, min(last, self.uidnext - 1)) for first, last in gone if first < self.uidnext]
        if before:
            uids = self.uids
            for first, last in before:
                self._left.update(uids[bisect_left(uids, first) : bisect_left(uids, last + 1)])

    def _expunged(self, telling: Telling) -> bytes:
        uids = self.uids
        left = sorted(self._left)
        self._left.clear()
        numbers = [number for number in (self.number_of(uid) for uid in left) if number]
        if self.recent:
            self.recent_total -= sum(1 for number in numbers if self.is_recent(uids[number - 1]))
        keep = array("I", [])
        begin = 0
        for number in numbers:
            keep += uids[begin : number - 1]
            begin = number
        keep += uids[begin:]
        self._uids = keep
        self.total = len(keep)
        self.saved = _without(self.saved, left)
        if telling.vanished:
            return f"* VANISHED {written(ranges_of(left))}\r\n".encode() if left else b""
        return b"".join(b"* %d EXPUNGE\r\n" % number for number in reversed(numbers))

    def _arrived(self, uids: list[int]) -> bytes:
        if not uids:
            return b""
        self.total += len(uids)
        self.uidnext = uids[-1] + 1
        if self._uids is not None:
            self._uids = self._uids + array("I", uids)
        told = b"* %d EXISTS\r\n" % self.total
        if self.knows_recent:
            before = recents.told(self.folder_id) if self.read_only else recents.take(self.folder_id, uids[-1])
            fresh = [uid for uid in uids if uid > before]
            self.recent += ranges_of(fresh)
            self.recent_total += len(fresh)
            told += b"* %d RECENT\r\n" % self.recent_total
        return told

    def _changed(self, rows: Iterable[tuple[int, int, int, int]], telling: Telling) -> bytes:
        lines: list[bytes] = []
        if not telling.flags:
            return b""
        for uid, flags, keywords, modseq in rows:
            state = state_of(flags, keywords)
            if self.own_changes.get(uid) == state:
                continue
            number = self.number_of(uid)
            if number and uid not in self._left:
                lines.append(self.flags_line(number, uid, state, modseq=modseq if telling.modseq else 0))
        return b"".join(lines)

    def flags_line(self, number: int, uid: int, state: int, *, modseq: int = 0) -> bytes:
        """An untagged FETCH of flags; always with the UID, which every client that counts by it wants."""
        extra = f" MODSEQ ({modseq})" if modseq else ""
        return f"* {number} FETCH (UID {uid} FLAGS ({self.flags_text(uid, state)}){extra})\r\n".encode()

    def _as_told(self) -> array[int]:
        """The list that the client was told, from the folder as it is now: without what came, with what left."""
        snapshot = index.current(self.folder_id)
        uids = snapshot.uids[: bisect_left(snapshot.uids, self.uidnext)]
        if snapshot.modseq == self.modseq and len(uids) == self.total:
            return uids
        changes = changes_after(self.folder_id, self.modseq, MAX_CHANGES)
        gone = [
            uid
            for first, last in (changes.gone if changes else [])
            for uid in range(first, min(last, self.uidnext - 1) + 1)
        ]
        return array("I", sorted({*uids, *gone})) if gone else uids

    def _all_changes(self) -> FolderChanges:
        """When too much changed: everything that this session knows is compared with the folder."""
        snapshot = index.current(self.folder_id)
        here = set(snapshot.uids)
        gone = ranges_of(uid for uid in self.uids if uid not in here)
        return FolderChanges(changed_rows(self.folder_id, self.modseq, len(here) + 1), gone, snapshot.modseq)


def _without(ranges: Ranges, left: list[int]) -> Ranges:
    gone = set(left)
    return (
        ranges_of(uid for first, last in ranges for uid in range(first, last + 1) if uid not in gone)
        if ranges
        else ranges
    )
