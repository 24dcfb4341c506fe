"""Coming back from the recovery, and the end of what nobody brought back.

A purged entry waits here for its domain's days, in an allowance of its own as large as the quota (the oldest go
first). It comes back as it was: same id, flags but \\Deleted, keywords that still exist, its conversation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import folder_threads, orders, sql, threads
from mailstore.fields import mailbox_of
from mailstore.ledger import FolderCount, Ledger
from mailstore.models import Flag, Role
from mailstore.selectors.folders import locked_folders
from mailstore.services.deletion_log import Deletion, note
from mailstore.services.marks import insert_marks
from mailstore.services.quota import quota_bytes, require_room
from mailstore.services.rows import bits, count_keywords, now_us, senders, thread_column, unread_of, writable
from mailstore.services.selection import Selection, slices_of
from mailstore.services.store import ENTRY_COLUMNS

KEPT_FLAGS = ~int(Flag.DELETED)
"""An entry that came back marked \\Deleted would leave again with the next EXPUNGE (RFC 9051 6.4.3)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Recovered:
    """`undo` is for `purge.unrecover`: each entry with the folder it was deleted from and when (µs)."""

    undo: list[tuple[int, int, int]]


class _Row(NamedTuple):
    """A recoverable entry on its way back."""

    id: int
    message_id: int
    folder_id: int
    deleted_us: int
    size: int
    flags: int
    keywords: int
    sort_us: int
    thread_id: int
    """0 for one that is alone, as in `rows.Row`."""


def recover(access: Access, entry_ids: Sequence[int], *, folder_id: int | None = None) -> Recovered:
    """Put purged entries back, into `folder_id` or the inbox. Needs INSERT; OVER_QUOTA; NOT_FOUND when none of them
    can be had (any more), and for those of locked folders."""
    access.require(Right.INSERT)
    undo: list[tuple[int, int, int]] = []
    for part in slices_of(access, Selection(entry_ids)):
        with transaction.atomic():
            ledger = Ledger([access.mailbox])
            inbox = ledger.folder_by_role(access.mailbox, Role.INBOX)
            target = inbox if folder_id is None else writable(ledger, access, folder_id)
            rows = _load(access, part)
            _bring_back(ledger, target, rows)
            note(access, Deletion.RECOVER, [row.message_id for row in rows])
            ledger.write()
        undo += [(row.id, row.folder_id, row.deleted_us) for row in rows]
    if not undo:
        raise MailError(ErrorKind.NOT_FOUND)
    return Recovered(undo)


def expire_recoverable(mailbox: int, before_us: int) -> int:
    """Forget what was purged before a moment; how many. A transaction for each slice of 1,000, claimed by the lock on
    the mailbox: may be killed, repeated or run twice at once."""
    gone = 0
    while True:
        with transaction.atomic():
            ledger = Ledger([mailbox])
            query = (
                "SELECT id, message_id, size FROM mailstore_recoverable WHERE mailbox_id = %s AND deleted_us < %s "
                "ORDER BY deleted_us, id LIMIT %s"
            )
            found = sql.rows(query, [mailbox, before_us, sql.SLICE])
            forget_recoverable(ledger, mailbox, found)
            ledger.write()
        gone += len(found)
        if len(found) < sql.SLICE:
            return gone


def keep_allowance(ledger: Ledger, mailbox: int) -> None:
    """Recovery has as much room as the quota; the oldest go first. In the ledger's transaction."""
    row = ledger.mailboxes[mailbox]
    allowance = quota_bytes(mailbox)
    while row.recoverable_bytes > allowance:
        query = "SELECT id, message_id, size FROM mailstore_recoverable WHERE mailbox_id = %s ORDER BY deleted_us, id LIMIT 100"
        oldest = sql.rows(query, [mailbox])
        if not oldest:
            return
        surplus, going = row.recoverable_bytes - allowance, []
        for found in oldest:
            going.append(found)
            surplus -= found[2]
            if surplus <= 0:
                break
        forget_recoverable(ledger, mailbox, going)


def drop_messages(message_ids: Sequence[int], *, was_searched: bool = True) -> None:
    """Delete messages that nothing holds any more, with their places in threads; the search index learns of it, unless
    they were never put in."""
    for part in sql.slices(message_ids):
        threads.forget_messages(part)
        inside = sql.marks(part)
        if was_searched:
            sql.run(
                "INSERT INTO mailstore_searchremoval (message_id, mailbox_id, blob_id) "
                f"SELECT id, mailbox_id, blob_id FROM mailstore_message WHERE id IN ({inside}) "
                "ON CONFLICT (message_id) DO NOTHING",
                part,
            )
        sql.run(f"DELETE FROM mailstore_searchtodo WHERE message_id IN ({inside})", part)
        sql.run(f"DELETE FROM mailstore_message WHERE id IN ({inside})", part)


def forget_recoverable(ledger: Ledger, mailbox: int, found: Sequence[Sequence[int]]) -> None:
    """Let go of recoverable rows, as (id, message, size), and of their messages, in the ledger's transaction."""
    if not found:
        return
    ids = [row[0] for row in found]
    sql.run(f"DELETE FROM mailstore_recoverable WHERE id IN ({sql.marks(ids)})", ids)
    drop_messages([row[1] for row in found])
    ledger.mailboxes[mailbox].recoverable_bytes -= sum(row[2] for row in found)
    ledger.mailboxes[mailbox].is_changed = True


def _load(access: Access, entry_ids: Sequence[int]) -> list[_Row]:
    locked = locked_folders(access)
    query = (
        "SELECT r.id, r.message_id, r.folder_id, r.deleted_us, r.size, r.flags, r.keywords, r.sort_us, "
        f"{thread_column('r')} FROM mailstore_recoverable r "
        "LEFT JOIN mailstore_threadof t ON t.message_id = r.message_id "
        f"WHERE {sql.among('r.id')} AND +r.mailbox_id = %s "
        f"AND NOT r.folder_id IN ({sql.marks(locked) if locked else '0'}) ORDER BY r.sort_us, r.id"
    )
    return [_Row._make(row) for row in sql.rows(query, [sql.numbers(entry_ids), access.mailbox, *locked])]


def _bring_back(ledger: Ledger, target: FolderCount, rows: Sequence[_Row]) -> None:
    if not rows:
        return
    mailbox = mailbox_of(target.id)
    size = sum(row.size for row in rows)
    require_room(ledger, mailbox, size)
    known = dict(sql.rows("SELECT bit, id FROM mailstore_keyword WHERE mailbox_id = %s", [mailbox]))
    still = sum(1 << bit for bit in known)
    back = [row._replace(flags=row.flags & KEPT_FLAGS, keywords=row.keywords & still) for row in rows]
    ids = [row.id for row in back]
    _insert_entries(ledger, target, ids, still)
    ledger.count_all(target, back)
    insert_marks((row.id, target.id, row.flags) for row in back)
    orders.came([(target, ids)])
    _label(mailbox, target.id, [row for row in back if row.keywords], known)
    sql.run(f"DELETE FROM mailstore_recoverable WHERE {sql.among('id')}", [sql.numbers(ids)])
    beside = [row for row in back if row.thread_id]
    names, grown = senders(beside), folder_threads.nothing_grown()
    for row in beside:
        name = names.get(row.message_id, "")
        grown[row.thread_id, target.id].add(flags=row.flags, sort_us=row.sort_us, name=name)
    folder_threads.grow(grown)
    ledger.mailboxes[mailbox].recoverable_bytes -= size
    ledger.mailboxes[mailbox].is_changed = True


def _insert_entries(ledger: Ledger, target: FolderCount, ids: Sequence[int], still: int) -> None:
    taken = ENTRY_COLUMNS.replace(
        "mailbox_id, folder_id, uid, message_id, modseq, flags, keywords",
        "mailbox_id, %s, %s + n.place, message_id, %s, flags & %s, keywords & %s",
    ).replace("saved_us", "%s", 1)
    sql.run(
        f"INSERT INTO mailstore_entry ({ENTRY_COLUMNS}) SELECT {taken} FROM {sql.numbered()} "
        "CROSS JOIN mailstore_recoverable r WHERE r.id = n.value",
        [
            target.id,
            ledger.new_uids(target, len(ids)),
            ledger.modseq(target),
            KEPT_FLAGS,
            still,
            now_us(),
            sql.numbers(ids),
        ],
    )


def _label(mailbox: int, folder_id: int, rows: Sequence[_Row], known: dict[int, int]) -> None:
    """Rows and counters of the keywords that came back."""
    labelled = [
        (known[bit], mailbox, folder_id, row.sort_us, row.id)
        for row in rows
        for bit in bits(row.keywords)
        if bit in known
    ]
    sql.run_many(sql.insert("mailstore_entrylabel", "keyword_id, mailbox_id, folder_id, sort_us, entry_id"), labelled)
    count_keywords(mailbox, [(row.keywords, 1, unread_of(row.flags)) for row in rows])
