"""The counters that one transaction changes: mailboxes locked first, counted in memory, written once at the end.

Every write to mail goes through a `Ledger`, so it holds the mailbox rows of everything it touches (by ascending id:
no deadlock). Rows of `mailstore_folder` change only under the lock of their mailbox, so absolute values may be written.
"""

from __future__ import annotations

import dataclasses
import operator
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from core.bulk import update_rows
from core.changes import publish_on_commit
from core.errors import ErrorKind, MailError
from mailstore import entry_changes, sql
from mailstore.fields import MAX_COUNTER, mailbox_of, pack
from mailstore.models import Flag

SEEN = int(Flag.SEEN)
FLAGGED = int(Flag.FLAGGED)

_FLAGS, _SIZE = operator.attrgetter("flags"), operator.attrgetter("size")

FOLDER_COLUMNS = "id, role, is_read_only, is_quota_exempt, lock_scope, uidnext, highestmodseq, total, unread, starred, bytes, orders_kept"
INSIDE_ROLE_INDEX = "NOT (role IN ('', 'monitor'))"
"""The condition of the unique index on roles, word for word as Django writes it, so that it is used."""


@dataclasses.dataclass(slots=True)
class MailboxCount:
    """A locked row of `mailstore_mailbox`."""

    id: int
    next_id: int
    modseq: int
    used_bytes: int
    recoverable_bytes: int
    is_changed: bool = False


@dataclasses.dataclass(slots=True)
class FolderCount:
    """A row of `mailstore_folder` whose mailbox is locked."""

    id: int
    role: str
    is_read_only: bool
    is_quota_exempt: bool
    lock_scope: str
    uidnext: int
    highestmodseq: int
    total: int
    unread: int
    starred: int
    bytes: int
    orders_kept: int
    is_changed: bool = False


class Counted(Protocol):
    """An entry as counters see it."""

    @property
    def flags(self) -> int: ...
    @property
    def size(self) -> int: ...


class Ledger:
    """Make it inside `transaction.atomic()`; nothing is written before `write()`."""

    def __init__(self, mailbox_ids: Iterable[int]) -> None:
        wanted = sorted(set(mailbox_ids))
        found = sql.rows(
            "SELECT id, next_id, modseq, used_bytes, recoverable_bytes FROM mailstore_mailbox "
            f"WHERE id IN ({sql.marks(wanted)}) ORDER BY id{sql.for_update()}",
            wanted,
        )
        self.mailboxes = {row[0]: MailboxCount(*row) for row in found}
        self.folders: dict[int, FolderCount] = {}
        self._by_role: dict[tuple[int, str], FolderCount] = {}
        self._roles_read: set[str] = set()
        self._risen: set[int] = set()
        self._changed: list[tuple[int, int, int, int, int]] = []
        if len(self.mailboxes) < len(wanted):
            raise MailError(ErrorKind.NOT_FOUND)

    def load_folders(self, folder_ids: Iterable[int], roles: Iterable[str] = ()) -> None:
        """Read folders by id, and those with these roles in every mailbox of the ledger; two queries at most."""
        missing = sorted(set(folder_ids) - self.folders.keys())
        if missing:
            self._keep("id IN", missing, "")
        kinds = sorted(set(roles) - self._roles_read)
        if kinds:
            self._roles_read.update(kinds)
            self._keep(
                "mailbox_id IN",
                list(self.mailboxes),
                f"AND role IN ({sql.marks(kinds)}) AND {INSIDE_ROLE_INDEX}",
                kinds,
            )

    def _keep(self, condition: str, values: Sequence[object], also: str, more: Sequence[object] = ()) -> None:
        query = f"SELECT {FOLDER_COLUMNS} FROM mailstore_folder WHERE {condition} ({sql.marks(values)}) {also}"
        for row in sql.rows(query, [*values, *more]):
            folder = self.folders.setdefault(row[0], FolderCount(*row))
            if folder.role and mailbox_of(folder.id) in self.mailboxes:
                self._by_role[mailbox_of(folder.id), folder.role] = folder

    def folder(self, folder_id: int) -> FolderCount:
        """A folder of a locked mailbox; NOT_FOUND for any other."""
        if mailbox_of(folder_id) not in self.mailboxes:
            raise MailError(ErrorKind.NOT_FOUND)
        self.load_folders([folder_id])
        found = self.folders.get(folder_id)
        if found is None:
            raise MailError(ErrorKind.NOT_FOUND)
        return found

    def folder_by_role(self, mailbox: int, role: str) -> FolderCount:
        """The folder with this role; NOT_FOUND when the mailbox has none."""
        found = self._by_role.get((mailbox, role))
        if found is None:
            self.load_folders([], [str(role)])
            found = self._by_role.get((mailbox, role))
        if found is None:
            raise MailError(ErrorKind.NOT_FOUND, role=role)
        return found

    def new_id(self, mailbox: int) -> int:
        """A packed id that was never given before (36 bits: 68 thousand million a mailbox)."""
        return self.new_ids(mailbox, 1)

    def new_ids(self, mailbox: int, count: int) -> int:
        """The first of `count` new ids in a row."""
        row = self.mailboxes[mailbox]
        first = row.next_id
        if first + count > MAX_COUNTER:
            raise MailError(ErrorKind.LIMIT)
        row.next_id += count
        row.is_changed = True
        return pack(mailbox, first)

    def modseq(self, folder: FolderCount) -> int:
        """The mod-sequence of this transaction's changes in `folder`; it rises once (RFC 7162 3.1)."""
        modseq = self.mailbox_modseq(mailbox_of(folder.id))
        folder.highestmodseq = modseq
        folder.is_changed = True
        return modseq

    def mailbox_modseq(self, mailbox: int) -> int:
        """The mod-sequence of this transaction in a mailbox."""
        row = self.mailboxes[mailbox]
        if mailbox not in self._risen:
            self._risen.add(mailbox)
            row.modseq += 1
            row.is_changed = True
        return row.modseq

    def changed(self, folder: FolderCount, ranges: Iterable[tuple[int, int]]) -> None:
        """Entries that lay in `folder` before changed, all of them in these UID ranges, at `modseq(folder)`."""
        mailbox, modseq = mailbox_of(folder.id), self.modseq(folder)
        self._changed += [(mailbox, folder.id, modseq, first, last) for first, last in ranges]

    def new_uid(self, folder: FolderCount) -> int:
        """UIDs ascend and are never given twice (RFC 9051 2.3.1.1)."""
        return self.new_uids(folder, 1)

    def new_uids(self, folder: FolderCount, count: int) -> int:
        """The first of `count` new UIDs in a row."""
        first = folder.uidnext
        folder.uidnext += count
        folder.is_changed = True
        return first

    def count(self, folder: FolderCount, *, flags: int, size: int, by: int = 1) -> None:
        """An entry came (`by` 1) or left (-1)."""
        folder.total += by
        folder.unread += 0 if flags & SEEN else by
        folder.starred += by if flags & FLAGGED else 0
        folder.bytes += by * size
        folder.is_changed = True
        if not folder.is_quota_exempt:
            row = self.mailboxes[mailbox_of(folder.id)]
            row.used_bytes += by * size
            row.is_changed = True

    def count_all(self, folder: FolderCount, entries: Collection[Counted], *, by: int = 1) -> None:
        """`count` for many."""
        held = Counter(map(_FLAGS, entries))
        size = sum(map(_SIZE, entries))
        folder.total += by * held.total()
        folder.unread += by * sum(count for flags, count in held.items() if not flags & SEEN)
        folder.starred += by * sum(count for flags, count in held.items() if flags & FLAGGED)
        folder.bytes += by * size
        folder.is_changed = True
        if not folder.is_quota_exempt:
            row = self.mailboxes[mailbox_of(folder.id)]
            row.used_bytes += by * size
            row.is_changed = True

    def write(self) -> None:
        """Write every counter that changed; the change feed hears of it after commit."""
        mailboxes = [row for row in self.mailboxes.values() if row.is_changed]
        folders = [row for row in self.folders.values() if row.is_changed]
        update_rows(
            "mailstore_mailbox",
            ("next_id", "modseq", "used_bytes", "recoverable_bytes"),
            [(row.id, row.next_id, row.modseq, row.used_bytes, row.recoverable_bytes) for row in mailboxes],
        )
        update_rows(
            "mailstore_folder",
            ("uidnext", "highestmodseq", "total", "unread", "starred", "bytes"),
            [
                (row.id, row.uidnext, row.highestmodseq, row.total, row.unread, row.starred, row.bytes)
                for row in folders
            ],
        )
        entry_changes.write(self._changed)
        self._changed = []
        if self._risen:
            publish_on_commit([(mailbox, self.mailboxes[mailbox].modseq) for mailbox in sorted(self._risen)])
