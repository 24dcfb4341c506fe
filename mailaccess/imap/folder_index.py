"""What a process remembers of a folder: the UIDs in order and the flags of each, shared by all its sessions.

A snapshot belongs to a modseq and never changes; `current` makes a new one from what changed after it, and reads the
folder only when there is none yet or too much changed. Its flags are read when somebody asks for them: a search for words
needs the UIDs alone, a fifth of the time. 14 bytes for each message.

What is read inside a transaction is its reader's alone: others must not hear of what is not committed, and may never be.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left
from collections import OrderedDict

from django.db import connection

from mailstore.models import Flag
from mailstore.selectors.folder_state import changes_after, folder_state, folder_uids, whole_folder

MAX_MESSAGES = 3_000_000
"""Messages of all folders that a process remembers: about 50 MB, twice that where flags were read and the UIDs again since."""
MAX_CHANGES = 20_000
States = tuple["array[int]", "array[int]"]
"""Flags and keywords."""


class Snapshot:
    """A folder at a modseq: `uids` ascending; `flags` and `keywords` in the same order, perhaps newer than the modseq."""

    __slots__ = ("_first_unread", "_states", "folder_id", "modseq", "uids")

    def __init__(self, folder_id: int, modseq: int, uids: array[int], states: States | None = None) -> None:
        self.folder_id = folder_id
        self.modseq = modseq
        self.uids = uids
        self._states = states
        self._first_unread: int | None = None

    @property
    def flags(self) -> array[int]:
        """Of each message; 0 of one that has left since."""
        return self._read()[0]

    @property
    def keywords(self) -> array[int]:
        """Of each message; 0 of one that has left since."""
        return self._read()[1]

    @property
    def known_states(self) -> States | None:
        """Flags and keywords, if they were read."""
        return self._states

    def first_unread(self) -> int:
        """The message number of the first one without \\Seen, 0 for none; looked for once."""
        if self._first_unread is None:
            found = (number for number, flags in enumerate(self.flags, 1) if not flags & Flag.SEEN.value)
            self._first_unread = next(found, 0)
        return self._first_unread

    def position(self, uid: int) -> int:
        """Where a UID stands (from 0), or -1."""
        at = bisect_left(self.uids, uid)
        return at if at < len(self.uids) and self.uids[at] == uid else -1

    def _read(self) -> States:
        if self._states is not None:
            return self._states
        states = index.states_of(self)
        if not connection.in_atomic_block:
            self._states = states
        return states


class FolderIndex:
    """The snapshots of this process. Used on database threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, Snapshot] = OrderedDict()
        self._reading = threading.Lock()
        self._read_last: dict[int, Snapshot] = {}
        """Of each folder the last snapshot with flags: where they change while they are read, the next ones begin from it."""

    def current(self, folder_id: int) -> Snapshot:
        """The folder now. NOT_FOUND when it is gone."""
        state = folder_state(folder_id)
        with self._lock:
            known = self._kept.get(folder_id)
        if known is not None and known.modseq == state.modseq:
            return known
        made = self._advance(known) if known is not None else None
        made = made or Snapshot(folder_id, *folder_uids(folder_id))
        if connection.in_atomic_block:
            return made
        with self._lock:
            newest = self._kept.get(folder_id)
            if newest is None or newest.modseq <= made.modseq:
                self._kept[folder_id] = made
                if made.known_states is not None:
                    self._read_last[folder_id] = made
            self._kept.move_to_end(folder_id)
            self._shrink()
        return made

    def known(self, folder_id: int, modseq: int) -> Snapshot | None:
        """The snapshot of this modseq, if it is at hand; no query."""
        with self._lock:
            found = self._kept.get(folder_id)
        return found if found is not None and found.modseq == modseq else None

    def states_of(self, snapshot: Snapshot) -> States:
        """Flags and keywords of a snapshot's messages, as new as it or newer; 0 for one that has left since. One thread reads,
        the others wait for what it found and ask for the changes after that."""
        with self._reading:
            folder_id = snapshot.folder_id
            base = self._read_last.get(folder_id)
            made = self._advance(base) if base is not None else None
            if made is None:
                modseq, rows = whole_folder(folder_id)
                states = array("H", [row[1] for row in rows]), array("Q", [row[2] for row in rows])
                made = Snapshot(folder_id, modseq, array("I", [row[0] for row in rows]), states)
            assert made.known_states is not None
            with self._lock:
                if folder_id in self._kept and not connection.in_atomic_block:
                    self._read_last[folder_id] = made
        flags, keywords = made.known_states
        if made.uids == snapshot.uids:
            return flags, keywords
        here = {uid: at for at, uid in enumerate(made.uids)}
        places = [here.get(uid, -1) for uid in snapshot.uids]
        return (
            array("H", [flags[at] if at >= 0 else 0 for at in places]),
            array("Q", [keywords[at] if at >= 0 else 0 for at in places]),
        )

    def forget(self) -> None:
        """Forget everything (tests)."""
        with self._lock:
            self._kept.clear()
            self._read_last.clear()

    def _shrink(self) -> None:
        held = sum(len(each.uids) for each in self._kept.values())
        while held > MAX_MESSAGES and len(self._kept) > 1:
            folder_id, gone = self._kept.popitem(last=False)
            self._read_last.pop(folder_id, None)
            held -= len(gone.uids)

    def _advance(self, known: Snapshot) -> Snapshot | None:
        """The next snapshot from what changed; None when it is cheaper to read the folder."""
        found = changes_after(known.folder_id, known.modseq, MAX_CHANGES)
        if found is None:
            return None
        columns = [each[:] for each in (known.uids, *(known.known_states or ()))]
        uids = columns[0]
        for first, last in found.gone:
            begin, end = bisect_left(uids, first), bisect_left(uids, last + 1)
            for column in columns:
                del column[begin:end]
        for uid, flags, keywords, _ in found.rows:
            at = len(uids) if not uids or uid > uids[-1] else bisect_left(uids, uid)
            is_new = at == len(uids) or uids[at] != uid
            for column, value in zip(columns, (uid, flags, keywords), strict=False):
                if is_new:
                    column.insert(at, value)
                else:
                    column[at] = value
        states = (columns[1], columns[2]) if known.known_states else None
        return Snapshot(known.folder_id, found.modseq, uids, states)


index = FolderIndex()
