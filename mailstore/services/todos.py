"""To-do marks (4.3 of the manual): a mail marked, done, put back. The mail itself stays where it is.

A mark is a row of `todo` and, beside it, a flag of the entry (`Flag.TODO`, `Flag.DONE`), which mail programs see and set as
a keyword. Both change in the same transaction; `check_store` compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.ledger import Ledger
from mailstore.models import TODO_MARKS, Flag
from mailstore.services.flags import Changed
from mailstore.services.marks import TODO_COLUMNS
from mailstore.services.rows import Row, load, log_changes, now_us
from mailstore.services.selection import Chosen, slices_of

MARK = (
    sql.insert("mailstore_todo", TODO_COLUMNS)
    + " ON CONFLICT (entry_id) DO UPDATE SET due_us = excluded.due_us, done_us = excluded.done_us"
)
FINISH = "UPDATE mailstore_todo SET done_us = %s WHERE done_us IS NULL AND "

Write = Callable[[Sequence[Row], int], None]
"""Changes the `todo` rows of entries at a moment (µs)."""


def mark_todo(access: Access, chosen: Chosen, *, due_us: int | None = None) -> Changed:
    """Mark entries as to-do, due at a moment or some day; a done one is to-do again. Needs FLAG; NOT_FOUND."""

    def write(rows: Sequence[Row], at_us: int) -> None:
        sql.run_many(MARK, [(row.id, access.mailbox, row.folder_id, due_us, None, at_us) for row in rows])

    return _each(access, chosen, write, lambda _: Flag.TODO)


def finish_todo(access: Access, chosen: Chosen) -> Changed:
    """Mark to-do entries as done; others stay as they are. Needs FLAG; NOT_FOUND."""

    def write(rows: Sequence[Row], at_us: int) -> None:
        sql.run(FINISH + sql.among("entry_id"), [at_us, sql.numbers([row.id for row in rows])])

    return _each(access, chosen, write, lambda flags: Flag.DONE if flags & TODO_MARKS else Flag(0))


def mark_done(access: Access, chosen: Chosen) -> Changed:
    """Mark entries as done that may never have been to-do, as a mail program can say it. Needs FLAG; NOT_FOUND."""

    def write(rows: Sequence[Row], at_us: int) -> None:
        sql.run(FINISH + sql.among("entry_id"), [at_us, sql.numbers([row.id for row in rows])])
        fresh = [row for row in rows if not row.flags & TODO_MARKS]
        sql.run_many(MARK, [(row.id, access.mailbox, row.folder_id, None, at_us, at_us) for row in fresh])

    return _each(access, chosen, write, lambda _: Flag.DONE)


def restore_todo(access: Access, chosen: Chosen) -> Changed:
    """Take the mark off. Needs FLAG; NOT_FOUND."""

    def write(rows: Sequence[Row], at_us: int) -> None:
        sql.run(f"DELETE FROM mailstore_todo WHERE {sql.among('entry_id')}", [sql.numbers([row.id for row in rows])])

    return _each(access, chosen, write, lambda _: Flag(0))


def _each(access: Access, chosen: Chosen, write: Write, becomes: Callable[[int], Flag]) -> Changed:
    """Run `write` on the entries in slices and give them the flag that `becomes` makes of theirs; listeners hear of it,
    because the entries' modseq rises."""
    access.require(Right.FLAG)
    done: list[int] = []
    modseq = 0
    for entry_ids in slices_of(access, chosen):
        with transaction.atomic():
            ledger = Ledger([access.mailbox])
            rows = load(ledger, access, entry_ids)
            write(rows, now_us())
            log_changes(ledger, rows)
            modseq = ledger.mailbox_modseq(access.mailbox)
            for mark in {becomes(row.flags) for row in rows}:
                ids = [row.id for row in rows if becomes(row.flags) == mark]
                sql.run(
                    f"UPDATE mailstore_entry SET flags = (flags & %s) | %s, modseq = %s WHERE {sql.among('id')}",
                    [~TODO_MARKS, int(mark), modseq, sql.numbers(ids)],
                )
            ledger.write()
            done += [row.id for row in rows]
    if not done:
        raise MailError(ErrorKind.NOT_FOUND)
    return Changed(done, modseq)
