"""Leaving for good, by way of the recovery.

A purged entry becomes a `recoverable` row, unless its message still lies in another folder. So a message has either
live entries or exactly one recoverable row; when that goes too, the message goes, and its blob is collected later.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import folder_threads, sql
from mailstore.ledger import Ledger
from mailstore.models import TODO_MARKS, Role
from mailstore.services.deletion_log import Deletion, note
from mailstore.services.recovery import drop_messages, keep_allowance
from mailstore.services.rows import Row, count_keywords, leave, load, now_us, unread_of
from mailstore.services.selection import Chosen, Selection, names_entries, slices_of
from mailstore.services.store import ENTRY_COLUMNS


def purge(access: Access, chosen: Chosen, *, action: Deletion = Deletion.PURGE) -> int:
    """Take entries out of their folders into recovery; how many. Needs DELETE. `action` is for the deletion log."""
    access.require(Right.DELETE)
    found = 0
    for entry_ids in slices_of(access, chosen):
        with transaction.atomic():
            ledger = Ledger([access.mailbox])
            rows = load(ledger, access, entry_ids)
            purge_rows(ledger, access, rows, action=action)
            found += len(rows)
            ledger.write()
    if not found and names_entries(chosen):
        raise MailError(ErrorKind.NOT_FOUND)
    return found


def purge_rows(
    ledger: Ledger,
    access: Access,
    rows: list[Row],
    *,
    keep: bool = True,
    was_searched: bool = False,
    action: Deletion = Deletion.PURGE,
) -> None:
    """Remove entries in the ledger's transaction. Without `keep` they can't be recovered and nobody hears of it
    (replaced draft snapshots; with `was_searched` recalled mail, which the index must forget)."""
    if not rows:
        return
    if keep:
        note(access, action, [row.message_id for row in rows])
    losses = leave(ledger, rows)
    living = _living_elsewhere([row for row in rows if row.thread_id])
    last = {row.message_id: row for row in rows if row.message_id not in living}
    if keep:
        _make_recoverable(ledger, access, list(last.values()))
    _delete_entries(access.mailbox, rows)
    if losses:
        folder_threads.change(losses)
    if not keep:
        drop_messages(list(last), was_searched=was_searched)
    keep_allowance(ledger, access.mailbox)


def drop_double(access: Access, entry_id: int, *, role: Role) -> None:
    """Forget an entry whose message lies here a second time, if it is still in the folder of `role`: nobody deleted
    anything, so neither recovery nor log hears of it."""
    with transaction.atomic():
        ledger = Ledger([access.mailbox])
        folder = ledger.folder_by_role(access.mailbox, role)
        rows = [row for row in load(ledger, access, [entry_id]) if row.folder_id == folder.id]
        purge_rows(ledger, access, rows, keep=False, was_searched=True)
        ledger.write()


def unrecover(access: Access, undo: Sequence[tuple[int, int, int]]) -> int:
    """Take a recovery back: the entries wait again, with the folder and the time (µs) they had; how many. Needs DELETE."""
    access.require(Right.DELETE)
    before = {entry_id: (folder_id, min(deleted_us, now_us())) for entry_id, folder_id, deleted_us in undo}
    gone = 0
    for entry_ids in slices_of(access, Selection(list(before))):
        with transaction.atomic():
            ledger = Ledger([access.mailbox])
            rows = load(ledger, access, entry_ids)
            purge_rows(ledger, access, rows)
            sql.run_many(
                "UPDATE mailstore_recoverable SET folder_id = %s, deleted_us = %s WHERE id = %s",
                [(*before[row.id], row.id) for row in rows],
            )
            gone += len(rows)
            ledger.write()
    return gone


def _living_elsewhere(rows: Sequence[Row]) -> set[int]:
    """Messages that have an entry beside these."""
    if not rows:
        return set()
    going = {row.id for row in rows}
    query = f"SELECT message_id, id FROM mailstore_entry WHERE {sql.among('message_id')}"
    found = sql.rows(query, [sql.numbers([row.message_id for row in rows])])
    return {message_id for message_id, entry_id in found if entry_id not in going}


def _make_recoverable(ledger: Ledger, access: Access, rows: Sequence[Row]) -> None:
    sql.run(
        f"INSERT INTO mailstore_recoverable ({ENTRY_COLUMNS}, deleted_us, deleted_by) "
        f"SELECT {ENTRY_COLUMNS}, %s, %s FROM mailstore_entry WHERE {sql.among('id')}",
        [now_us(), str(access.actor or ""), sql.numbers([row.id for row in rows])],
    )
    ledger.mailboxes[access.mailbox].recoverable_bytes += sum(row.size for row in rows)
    ledger.mailboxes[access.mailbox].is_changed = True


def _delete_entries(mailbox: int, rows: Sequence[Row]) -> None:
    ids = sql.numbers([row.id for row in rows])
    sql.run(f"DELETE FROM mailstore_entry WHERE {sql.among('id')}", [ids])
    if marked := [row.id for row in rows if row.flags & TODO_MARKS]:
        sql.run(f"DELETE FROM mailstore_todo WHERE {sql.among('entry_id')}", [sql.numbers(marked)])
    _end_snoozes(rows)
    if labelled := [row for row in rows if row.keywords]:
        inside = [sql.numbers([row.id for row in labelled])]
        sql.run(f"DELETE FROM mailstore_entrylabel WHERE {sql.among('entry_id')}", inside)
        count_keywords(mailbox, [(row.keywords, -1, -unread_of(row.flags)) for row in labelled])
    going = {row.id for row in rows}
    query = "SELECT id, snapshot_entry_id FROM mailstore_draft WHERE mailbox_id = %s AND snapshot_entry_id IS NOT NULL"
    if drafts := [draft_id for draft_id, entry_id in sql.rows(query, [mailbox]) if entry_id in going]:
        sql.run(f"DELETE FROM mailstore_draftattachment WHERE {sql.among('draft_id')}", [sql.numbers(drafts)])
        sql.run(f"DELETE FROM mailstore_draft WHERE {sql.among('id')}", [sql.numbers(drafts)])


def _end_snoozes(rows: Sequence[Row]) -> None:
    """Few mailboxes have any: a look into the key tells."""
    ids = [row.id for row in rows]
    query = "SELECT 1 FROM mailstore_snooze WHERE entry_id BETWEEN %s AND %s LIMIT 1"
    if sql.row(query, [min(ids), max(ids)]):
        sql.run(f"DELETE FROM mailstore_snooze WHERE {sql.among('entry_id')}", [sql.numbers(ids)])
