"""Leaving for good, by way of the recovery; and coming back from it.

A purged entry becomes a `recoverable` row, unless its message still lies in another folder. So a message has either
live entries or exactly one recoverable row; when that goes too, the message goes, and its blob is collected later.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql, threads
from mailstore.fields import mailbox_of
from mailstore.ledger import Ledger
from mailstore.models import Role
from mailstore.services.quota import quota_bytes, require_room
from mailstore.services.rows import Row, count_keywords, leave, load, now_us, unread_of, writable
from mailstore.services.selection import Chosen, Selection, names_entries, slices_of
from mailstore.services.store import ENTRY_COLUMNS


def purge(access: Access, chosen: Chosen) -> int:
    """Take entries out of their folders into recovery; how many. Needs DELETE."""
    access.require(Right.DELETE)
    found = 0
    for entry_ids in slices_of(access, chosen):
        with transaction.atomic():
            ledger = Ledger([access.mailbox])
            rows = load(ledger, access, entry_ids)
            purge_rows(ledger, access, rows)
            found += len(rows)
            ledger.write()
    if not found and names_entries(chosen):
        raise MailError(ErrorKind.NOT_FOUND)
    return found


def purge_rows(ledger: Ledger, access: Access, rows: list[Row], *, keep: bool = True) -> None:
    """Remove entries in the ledger's transaction. Without `keep` they can't be recovered (replaced draft snapshots)."""
    if not rows:
        return
    deltas = threads.new_deltas()
    leave(ledger, rows, deltas)
    living = _living_elsewhere(rows)
    last = {row.message_id: row for row in rows if row.message_id not in living}
    if keep:
        _make_recoverable(ledger, access, list(last.values()))
    _delete_entries(access.mailbox, rows)
    threads.apply(deltas)
    if not keep:
        drop_messages(list(last), was_searched=False)
    _keep_allowance(ledger, access.mailbox)


def recover(access: Access, entry_ids: Sequence[int], *, folder_id: int | None = None) -> int:
    """Put purged entries back, into `folder_id` or the inbox; how many. Needs INSERT; OVER_QUOTA; NOT_FOUND."""
    access.require(Right.INSERT)
    came = 0
    for part in slices_of(access, Selection(entry_ids)):
        with transaction.atomic():
            ledger = Ledger([access.mailbox])
            inbox = ledger.folder_by_role(access.mailbox, Role.INBOX)
            target = inbox if folder_id is None else writable(ledger, access, folder_id)
            came += _recover(ledger, part, target_id=target.id)
            ledger.write()
    if not came:
        raise MailError(ErrorKind.NOT_FOUND)
    return came


def expire_recoverable(mailbox: int, before_us: int) -> int:
    """Forget what was purged before a moment; how many. In slices; harmless to repeat."""
    gone = 0
    while True:
        with transaction.atomic():
            ledger = Ledger([mailbox])
            query = (
                "SELECT id, message_id, size FROM mailstore_recoverable WHERE mailbox_id = %s AND deleted_us < %s "
                "ORDER BY deleted_us, id LIMIT %s"
            )
            found = sql.rows(query, [mailbox, before_us, sql.SLICE])
            _forget_recoverable(ledger, mailbox, found)
            ledger.write()
        gone += len(found)
        if len(found) < sql.SLICE:
            return gone


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


def _living_elsewhere(rows: Sequence[Row]) -> set[int]:
    """Messages that have an entry beside these."""
    ids = [row.id for row in rows]
    messages = sorted({row.message_id for row in rows})
    query = (
        f"SELECT DISTINCT message_id FROM mailstore_entry WHERE message_id IN ({sql.marks(messages)}) "
        f"AND NOT id IN ({sql.marks(ids)})"
    )
    return {row[0] for row in sql.rows(query, [*messages, *ids])}


def _make_recoverable(ledger: Ledger, access: Access, rows: Sequence[Row]) -> None:
    ids = [row.id for row in rows]
    sql.run(
        f"INSERT INTO mailstore_recoverable ({ENTRY_COLUMNS}, deleted_us, deleted_by) "
        f"SELECT {ENTRY_COLUMNS}, %s, %s FROM mailstore_entry WHERE id IN ({sql.marks(ids)})",
        [now_us(), str(access.actor or ""), *ids],
    )
    ledger.mailboxes[access.mailbox].recoverable_bytes += sum(row.size for row in rows)
    ledger.mailboxes[access.mailbox].is_changed = True


def _delete_entries(mailbox: int, rows: Sequence[Row]) -> None:
    ids = [row.id for row in rows]
    inside = sql.marks(ids)
    sql.run(f"DELETE FROM mailstore_entry WHERE id IN ({inside})", ids)
    for table in ("entrylabel", "todo", "snooze"):
        sql.run(f"DELETE FROM mailstore_{table} WHERE entry_id IN ({inside})", ids)
    count_keywords(mailbox, [(row.keywords, -1, -unread_of(row.flags)) for row in rows if row.keywords])
    drafts = [row[0] for row in sql.rows(f"SELECT id FROM mailstore_draft WHERE snapshot_entry_id IN ({inside})", ids)]
    if drafts:
        sql.run(f"DELETE FROM mailstore_draftattachment WHERE draft_id IN ({sql.marks(drafts)})", drafts)
        sql.run(f"DELETE FROM mailstore_draft WHERE id IN ({sql.marks(drafts)})", drafts)


def _keep_allowance(ledger: Ledger, mailbox: int) -> None:
    """Recovery has as much room as the quota; the oldest go first."""
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
        _forget_recoverable(ledger, mailbox, going)


def _forget_recoverable(ledger: Ledger, mailbox: int, found: Sequence[Sequence[int]]) -> None:
    if not found:
        return
    ids = [row[0] for row in found]
    sql.run(f"DELETE FROM mailstore_recoverable WHERE id IN ({sql.marks(ids)})", ids)
    drop_messages([row[1] for row in found])
    ledger.mailboxes[mailbox].recoverable_bytes -= sum(row[2] for row in found)
    ledger.mailboxes[mailbox].is_changed = True


def _recover(ledger: Ledger, entry_ids: Sequence[int], *, target_id: int) -> int:
    target = ledger.folder(target_id)
    mailbox = mailbox_of(target_id)
    inside = sql.marks(entry_ids)
    query = (
        "SELECT r.id, r.size, r.flags, r.keywords, r.sort_us, COALESCE(t.thread_id, r.message_id), m.sender_name "
        "FROM mailstore_recoverable r JOIN mailstore_message m ON m.id = r.message_id "
        "LEFT JOIN mailstore_threadof t ON t.message_id = r.message_id "
        f"WHERE r.id IN ({inside}) AND r.mailbox_id = %s ORDER BY r.sort_us, r.id"
    )
    rows = sql.rows(query, [*entry_ids, mailbox])
    size = sum(row[1] for row in rows)
    require_room(ledger, mailbox, size)
    taken = ENTRY_COLUMNS.replace(
        "mailbox_id, folder_id, uid, message_id, modseq, flags, keywords",
        "mailbox_id, %s, %s, message_id, %s, flags, 0",
    )
    deltas = threads.new_deltas()
    values = []
    for entry_id, each_size, flags, _, sort_us, thread_id, sender in rows:
        values.append((target_id, ledger.new_uid(target), ledger.modseq(target), entry_id))
        ledger.count(target, flags=flags, size=each_size)
        deltas[thread_id, target_id].add(flags=flags, sort_us=sort_us, name=sender)
    sql.run_many(
        f"INSERT INTO mailstore_entry ({ENTRY_COLUMNS}) SELECT {taken} FROM mailstore_recoverable WHERE id = %s", values
    )
    sql.run(f"DELETE FROM mailstore_recoverable WHERE id IN ({inside}) AND mailbox_id = %s", [*entry_ids, mailbox])
    threads.apply(deltas)
    ledger.mailboxes[mailbox].recoverable_bytes -= size
    ledger.mailboxes[mailbox].is_changed = True
    return len(rows)
