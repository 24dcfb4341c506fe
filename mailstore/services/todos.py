"""To-do marks (4.3 of the manual): a mail marked, done, put back. The mail itself stays where it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.ledger import Ledger
from mailstore.services.rows import Row, load, now_us
from mailstore.services.selection import Chosen, slices_of

MARK = (
    sql.insert("mailstore_todo", "entry_id, mailbox_id, folder_id, due_us, done_us, created_us")
    + " ON CONFLICT (entry_id) DO UPDATE SET due_us = excluded.due_us, done_us = NULL"
)


def mark_todo(access: Access, chosen: Chosen, *, due_us: int | None = None) -> list[int]:
    """Mark entries as to-do, due at a moment or some day; a done one is to-do again. Needs FLAG; NOT_FOUND."""

    def write(rows: Sequence[Row]) -> None:
        at_us = now_us()
        sql.run_many(MARK, [(row.id, access.mailbox, row.folder_id, due_us, None, at_us) for row in rows])

    return _each(access, chosen, write)


def finish_todo(access: Access, chosen: Chosen) -> list[int]:
    """Mark to-do entries as done. Needs FLAG; NOT_FOUND."""

    def write(rows: Sequence[Row]) -> None:
        ids = [row.id for row in rows]
        statement = f"UPDATE mailstore_todo SET done_us = %s WHERE done_us IS NULL AND entry_id IN ({sql.marks(ids)})"
        sql.run(statement, [now_us(), *ids])

    return _each(access, chosen, write)


def restore_todo(access: Access, chosen: Chosen) -> list[int]:
    """Take the mark off. Needs FLAG; NOT_FOUND."""

    def write(rows: Sequence[Row]) -> None:
        ids = [row.id for row in rows]
        sql.run(f"DELETE FROM mailstore_todo WHERE entry_id IN ({sql.marks(ids)})", ids)

    return _each(access, chosen, write)


def _each(access: Access, chosen: Chosen, write: Callable[[Sequence[Row]], None]) -> list[int]:
    """Run `write` on the entries in slices; listeners hear of it, because the entries' modseq rises."""
    access.require(Right.FLAG)
    done: list[int] = []
    for entry_ids in slices_of(access, chosen):
        with transaction.atomic():
            ledger = Ledger([access.mailbox])
            rows = load(ledger, access, entry_ids)
            write(rows)
            for row in rows:
                ledger.modseq(ledger.folder(row.folder_id))
            ids = [row.id for row in rows]
            modseq = ledger.mailbox_modseq(access.mailbox)
            sql.run(f"UPDATE mailstore_entry SET modseq = %s WHERE id IN ({sql.marks(ids)})", [modseq, *ids])
            ledger.write()
            done += ids
    if not done:
        raise MailError(ErrorKind.NOT_FOUND)
    return done
