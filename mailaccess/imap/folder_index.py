"""What a process remembers of a folder: the UIDs in order and the flags of each, shared by all its sessions.

A snapshot is immutable and belongs to a modseq; `current` makes a new one from what changed after it, and reads the
folder whole only when there is none yet or too much changed. 14 bytes for each message.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from mailaccess.imap.flags import state_of
from mailstore.models import Flag
from mailstore.selectors.folder_state import FolderState, changes_after, folder_state, whole_folder

MAX_MESSAGES = 3_000_000
"""Messages of all folders that a process remembers: about 50 MB."""
MAX_CHANGES = 20_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A folder at a modseq: `uids` ascending; `flags` and `keywords` in the same order."""

    folder_id: int
    modseq: int
    uids: array[int]
    flags: array[int]
    keywords: array[int]
    _first_unread: list[int] = field(default_factory=list, compare=False)

    def first_unread(self) -> int:
        """The message number of the first one without \\Seen, 0 for none; looked for once."""
        if not self._first_unread:
            found = (number for number, flags in enumerate(self.flags, 1) if not flags & Flag.SEEN.value)
            self._first_unread.append(next(found, 0))
        return self._first_unread[0]

    def states(self, first: int, after: int) -> Iterator[int]:
        """The states (mailaccess.imap.flags) of a run of positions."""
        return map(state_of, self.flags[first:after], self.keywords[first:after])

    def position(self, uid: int) -> int:
        """Where a UID stands (from 0), or -1."""
        at = bisect_left(self.uids, uid)
        return at if at < len(self.uids) and self.uids[at] == uid else -1


class FolderIndex:
    """The snapshots of this process. Used on database threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, Snapshot] = OrderedDict()

    def current(self, folder_id: int) -> Snapshot:
        """The folder now. NOT_FOUND when it is gone."""
        state = folder_state(folder_id)
        with self._lock:
            known = self._kept.get(folder_id)
        if known is not None and known.modseq == state.modseq:
            return known
        made = self._advance(known, state) if known is not None else None
        made = made or self._read(folder_id)
        with self._lock:
            newest = self._kept.get(folder_id)
            if newest is None or newest.modseq <= made.modseq:
                self._kept[folder_id] = made
            self._kept.move_to_end(folder_id)
            self._shrink()
        return made

    def known(self, folder_id: int, modseq: int) -> Snapshot | None:
        """The snapshot of this modseq, if it is at hand; no query."""
        with self._lock:
            found = self._kept.get(folder_id)
        return found if found is not None and found.modseq == modseq else None

    def forget(self) -> None:
        """Forget everything (tests)."""
        with self._lock:
            self._kept.clear()

    def _shrink(self) -> None:
        held = sum(len(each.uids) for each in self._kept.values())
        while held > MAX_MESSAGES and len(self._kept) > 1:
            _, gone = self._kept.popitem(last=False)
            held -= len(gone.uids)

    def _read(self, folder_id: int) -> Snapshot:
        modseq, rows = whole_folder(folder_id)
        uids = array("I", [uid for uid, _, _ in rows])
        flags = array("H", [row[1] for row in rows])
        keywords = array("Q", [row[2] for row in rows])
        return Snapshot(folder_id, modseq, uids, flags, keywords)

    def _advance(self, known: Snapshot, state: FolderState) -> Snapshot | None:
        """The next snapshot from what changed; None when it is cheaper to read the folder."""
        found = changes_after(known.folder_id, known.modseq, MAX_CHANGES)
        if found is None:
            return None
        uids, flags, keywords = known.uids[:], known.flags[:], known.keywords[:]
        for first, last in found.gone:
            begin, end = bisect_left(uids, first), bisect_left(uids, last + 1)
            del uids[begin:end], flags[begin:end], keywords[begin:end]
        for uid, new_flags, new_keywords, _ in found.rows:
            at = len(uids) if not uids or uid > uids[-1] else bisect_left(uids, uid)
            if at == len(uids) or uids[at] != uid:
                uids.insert(at, uid)
                flags.insert(at, new_flags)
                keywords.insert(at, new_keywords)
            else:
                flags[at], keywords[at] = new_flags, new_keywords
        return Snapshot(known.folder_id, found.modseq, uids, flags, keywords)


index = FolderIndex()
