"""Looks at numbers that may only rise, and that no UID ever names a second message (RFC 9051 2.3.1.1, RFC 7162 3.1)."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from django.db import connection

from mailstore import sql
from webmail.soak.ledger import Ledger

EVERY_S = 0.5


class Watcher(threading.Thread):
    """Until told to stop, and once more then."""

    def __init__(self, ledger: Ledger, mailboxes: Sequence[int]) -> None:
        super().__init__(name="watcher", daemon=True)
        self._ledger = ledger
        self._mailboxes = mailboxes
        self._seen = dict.fromkeys(mailboxes, 0)
        self._messages: dict[tuple[int, int], int] = {}
        self._numbers: dict[tuple[str, int], int] = {}
        self.stopping = threading.Event()

    def run(self) -> None:
        """Look again and again."""
        try:
            while not self.stopping.wait(EVERY_S):
                self.look()
            self.look()
        except Exception as error:  # a watcher that ended unseen would pass everything
            self._ledger.violated(f"the watcher failed: {error!r}")
        finally:
            connection.close()

    def look(self) -> None:
        """Every mailbox: changed entries first, so that what is read afterwards must be as far or farther."""
        for mailbox in self._mailboxes:
            uids = self._entries(mailbox)
            query = "SELECT id, uidnext, highestmodseq FROM mailstore_folder WHERE mailbox_id = %s"
            for folder, uidnext, modseq in sql.rows(query, [mailbox]):
                self._rises("uidnext", folder, uidnext)
                self._rises("highestmodseq", folder, modseq)
                if uids.get(folder, 0) >= uidnext:
                    self._ledger.violated(f"folder {folder}: UID {uids[folder]} is not below UIDNEXT {uidnext}")
            for (modseq,) in sql.rows("SELECT modseq FROM mailstore_mailbox WHERE id = %s", [mailbox]):
                self._rises("modseq", mailbox, modseq)

    def _entries(self, mailbox: int) -> dict[int, int]:
        """Note what changed since the last look; the highest UID of each folder that was seen."""
        query = (
            "SELECT folder_id, uid, message_id, modseq FROM mailstore_entry "
            "WHERE mailbox_id = %s AND modseq > %s ORDER BY modseq"
        )
        highest: dict[int, int] = {}
        for folder, uid, message, modseq in sql.rows(query, [mailbox, self._seen[mailbox]]):
            if self._messages.setdefault((folder, uid), message) != message:
                self._ledger.violated(f"folder {folder}: UID {uid} names a second message")
            highest[folder] = max(uid, highest.get(folder, 0))
            self._seen[mailbox] = max(modseq, self._seen[mailbox])
        return highest

    def _rises(self, name: str, where: int, value: int) -> None:
        before = self._numbers.get((name, where), 0)
        if value < before:
            self._ledger.violated(f"{name} of {where} went from {before} to {value}")
        self._numbers[name, where] = value
