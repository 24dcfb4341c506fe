"""`\\Recent` (RFC 3501 2.3.2): of each folder the highest UID that some session of a mail program was told of.

It moves when a session selects the folder or hears of new mail in it, which mustn't cost a write of its own: what moved
lies in memory, and a minute later in the folder's row. A process that was killed shows the mail of its last minute as
recent once more, and so do processes beside each other; the RFC wants recent what nobody can be sure about.
"""

from __future__ import annotations

import logging
import threading

from django.db import DatabaseError

from mailstore.services.recent import keep_recent

KNOWN_MAX = 100_000
"""Folders that a process remembers; the row knows of the others."""

log = logging.getLogger(__name__)


class Recents:
    """One for each process. Used on database threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[int, int] = {}
        self._unsaved: dict[int, int] = {}

    def told(self, folder_id: int, *, stored: int = 0) -> int:
        """The highest UID that was told to somebody; `stored` is what the folder's row says."""
        with self._lock:
            return max(self._told.get(folder_id, 0), stored)

    def take(self, folder_id: int, last: int, *, stored: int = 0) -> int:
        """A session is told of everything up to the UID `last`. What `told` was before: all above it is its own."""
        with self._lock:
            before = max(self._told.get(folder_id, 0), stored)
            if last > before:
                if len(self._told) >= KNOWN_MAX:
                    self._told = dict(self._unsaved)
                self._told[folder_id] = self._unsaved[folder_id] = last
            return before

    def save(self) -> None:
        """Write down what moved; one transaction. What can't be written now waits for the next time."""
        with self._lock:
            moved, self._unsaved = self._unsaved, {}
        if not moved:
            return
        try:
            keep_recent(moved)
        except DatabaseError as error:
            log.info("what is recent waits", extra={"error": str(error), "folders": len(moved)})
            with self._lock:
                self._unsaved = moved | self._unsaved

    def forget(self) -> None:
        """Forget everything (tests)."""
        with self._lock:
            self._told.clear()
            self._unsaved.clear()


recents = Recents()
