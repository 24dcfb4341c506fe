"""Entries as the writing services see them: read under the mailbox's lock, counted in and out of folders."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore import sql, threads
from mailstore.fields import mailbox_of
from mailstore.ledger import SEEN, FolderCount, Ledger
from mailstore.selectors.folders import is_locked


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """An entry that is about to change."""

    id: int
    folder_id: int
    uid: int
    message_id: int
    flags: int
    keywords: int
    sort_us: int
    size: int
    thread_id: int
    sender: str
    modseq: int


def load(ledger: Ledger, access: Access, entry_ids: Sequence[int], *, to_write: bool = True) -> list[Row]:
    """Those that exist, by ascending UID of their folder. NO_PERMISSION for one in a locked folder, and in a read-only
    one when it is loaded to be changed."""
    query = (
        "SELECT e.id, e.folder_id, e.uid, e.message_id, e.flags, e.keywords, e.sort_us, e.size, "
        "COALESCE(t.thread_id, e.message_id), CASE WHEN m.sender_name <> '' THEN m.sender_name ELSE m.sender_address END, e.modseq "
        "FROM mailstore_entry e CROSS JOIN mailstore_message m LEFT JOIN mailstore_threadof t ON t.message_id = e.message_id "
        f"WHERE e.id IN ({sql.marks(entry_ids)}) AND e.mailbox_id = %s AND m.id = e.message_id ORDER BY e.folder_id, e.uid"
    )
    rows = [Row(*row) for row in sql.rows(query, [*entry_ids, access.mailbox])]
    ledger.load_folders({row.folder_id for row in rows})
    for folder_id in {row.folder_id for row in rows}:
        writable(ledger, access, folder_id) if to_write else readable(ledger, access, folder_id)
    return rows


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


def leave(ledger: Ledger, rows: Iterable[Row], deltas: threads.Deltas) -> None:
    """Count entries out of their folders and note their UIDs as expunged (RFC 7162 3.2.10)."""
    uids: dict[int, list[int]] = {}
    for row in rows:
        folder = ledger.folder(row.folder_id)
        ledger.count(folder, flags=row.flags, size=row.size, by=-1)
        ledger.modseq(folder)
        uids.setdefault(row.folder_id, []).append(row.uid)
        deltas[row.thread_id, row.folder_id].add(flags=row.flags, sort_us=row.sort_us, name="", by=-1)
    expunged = [
        (mailbox_of(folder_id), folder_id, ledger.modseq(ledger.folder(folder_id)), first, last)
        for folder_id, gone in uids.items()
        for first, last in ranges(gone)
    ]
    sql.run_many(sql.insert("mailstore_expunged", "mailbox_id, folder_id, modseq, first_uid, last_uid"), expunged)


def ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Ascending runs of neighbours."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
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
