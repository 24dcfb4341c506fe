"""Entries as the writing services see them: read under the mailbox's lock, counted in and out of folders."""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from core.access import Access
from core.bulk import insert_rows
from core.errors import ErrorKind, MailError
from mailstore import entry_changes, folder_threads, orders, sql
from mailstore.fields import mailbox_of
from mailstore.ledger import FLAGGED, SEEN, FolderCount, Ledger
from mailstore.selectors.folders import is_locked

LOSSES = {flags: (-1, -(not flags & SEEN), -bool(flags & FLAGGED)) for flags in (0, SEEN, FLAGGED, SEEN | FLAGGED)}
"""What a conversation loses with an entry that has these flags."""


class Row(NamedTuple):
    """An entry that is about to change."""

    id: int
    folder_id: int
    uid: int
    message_id: int
    flags: int
    keywords: int
    sort_us: int
    size: int
    modseq: int
    thread_id: int
    """0 for one that is alone: no other message belongs to its conversation and no other entry to its message."""


made: Callable[[Sequence[Any]], Row] = functools.partial(tuple.__new__, Row)
"""`Row._make`, without a call of Python for each row."""
ALONE = (
    "t.thread_id IS NULL AND NOT EXISTS (SELECT 1 FROM mailstore_threadof o WHERE o.thread_id = {0}.message_id) "
    "AND NOT EXISTS (SELECT 1 FROM mailstore_entry c WHERE c.message_id = {0}.message_id AND c.id <> {0}.id)"
)
"""The condition on an entry's row and its `thread_of`, if it has one, `t`."""


def thread_column(row: str) -> str:
    """`Row.thread_id`, by one look into three indexes."""
    return f"CASE WHEN {ALONE.format(row)} THEN 0 ELSE COALESCE(t.thread_id, {row}.message_id) END"


class Entered(Protocol):
    """An entry of a message."""

    @property
    def message_id(self) -> int: ...


def load(ledger: Ledger, access: Access, entry_ids: Sequence[int], *, to_write: bool = True) -> list[Row]:
    """Those that exist, by ascending UID of their folder. NO_PERMISSION for one in a locked folder, and in a read-only
    one when it is loaded to be changed."""
    query = (
        "SELECT e.id, e.folder_id, e.uid, e.message_id, e.flags, e.keywords, e.sort_us, e.size, e.modseq, "
        f"{thread_column('e')} "
        "FROM mailstore_entry e LEFT JOIN mailstore_threadof t ON t.message_id = e.message_id "
        f"WHERE {sql.among('e.id')} AND e.mailbox_id = %s ORDER BY e.folder_id, e.uid"
    )
    rows = list(map(made, sql.rows(query, [sql.numbers(entry_ids), access.mailbox])))
    may_touch(ledger, access, {row.folder_id for row in rows}, to_write=to_write)
    return rows


def may_touch(ledger: Ledger, access: Access, folder_ids: set[int], *, to_write: bool = True) -> None:
    """NO_PERMISSION for a locked folder, and for a read-only one that is to be changed."""
    ledger.load_folders(folder_ids)
    for folder_id in folder_ids:
        writable(ledger, access, folder_id) if to_write else readable(ledger, access, folder_id)


def senders(rows: Sequence[Entered]) -> dict[int, str]:
    """The names that lists show, by message."""
    if not rows:
        return {}
    query = (
        "SELECT id, CASE WHEN sender_name <> '' THEN sender_name ELSE sender_address END FROM mailstore_message "
        f"WHERE {sql.among('id')}"
    )
    return dict(sql.rows(query, [sql.numbers([row.message_id for row in rows])]))


def readable(ledger: Ledger, access: Access, folder_id: int) -> FolderCount:
    """The folder; NOT_FOUND for a stranger's, NO_PERMISSION for a locked one."""
    folder = ledger.folder(folder_id)
    if is_locked(access, folder_id, folder.lock_scope):
        raise MailError(ErrorKind.NO_PERMISSION, locked=folder_id)
    return folder


def writable(ledger: Ledger, access: Access, folder_id: int) -> FolderCount:
    """`readable`, and NO_PERMISSION for a read-only folder (the system may write)."""
    folder = readable(ledger, access, folder_id)
    if folder.is_read_only and access.actor != 0:
        raise MailError(ErrorKind.NO_PERMISSION, read_only=folder_id)
    return folder


def leave(ledger: Ledger, rows: Sequence[Row]) -> folder_threads.Changes:
    """Count entries out of their folders and note their UIDs as expunged (RFC 7162 3.2.10), before their rows change;
    what conversations lose."""
    expunged = []
    for folder_id in {row.folder_id for row in rows}:
        leaving = [row for row in rows if row.folder_id == folder_id]
        folder = ledger.folder(folder_id)
        ledger.count_all(folder, leaving, by=-1)
        orders.left(folder, [row.id for row in leaving])
        modseq = ledger.modseq(folder)
        gone = ranges([row.uid for row in leaving])
        expunged += [(mailbox_of(folder_id), folder_id, modseq, first, last) for first, last in gone]
    insert_rows("mailstore_expunged", "mailbox_id, folder_id, modseq, first_uid, last_uid", expunged)
    losses = [((row.thread_id, row.folder_id), LOSSES[row.flags & (SEEN | FLAGGED)]) for row in rows if row.thread_id]
    return folder_threads.changes(losses)


def log_changes(ledger: Ledger, rows: Sequence[Row]) -> None:
    """They change where they lie, at the modseq of this transaction."""
    for folder_id in {row.folder_id for row in rows}:
        uids = [row.uid for row in rows if row.folder_id == folder_id]
        ledger.changed(ledger.folder(folder_id), entry_changes.spans(uids))


def ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Ascending runs of neighbours."""
    ordered = sorted(numbers)
    if ordered and ordered[-1] - ordered[0] + 1 == len(set(ordered)):
        return [(ordered[0], ordered[-1])]
    found: list[tuple[int, int]] = []
    for number in ordered:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def count_keywords(mailbox: int, changes: Iterable[tuple[int, int, int]]) -> None:
    """Keyword counters: (keyword bits, change of total, change of unread) for each entry."""
    total: Counter[int] = Counter()
    unread: Counter[int] = Counter()
    for keywords, more, more_unread in changes:
        for bit in bits(keywords):
            total[bit] += more
            unread[bit] += more_unread
    sql.run_many(
        "UPDATE mailstore_keyword SET total = total + %s, unread = unread + %s WHERE mailbox_id = %s AND bit = %s",
        [(total[bit], unread[bit], mailbox, bit) for bit in sorted(total)],
    )


def bits(number: int) -> list[int]:
    """Positions of the bits that are set."""
    return [bit for bit in range(number.bit_length()) if number >> bit & 1]


def unread_of(flags: int) -> int:
    """1 for an entry that nobody has read."""
    return 0 if flags & SEEN else 1


def now_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000
