"""Rows of to-do marks for entries that come with one: by APPEND, COPY, import, out of the recovery."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.bulk import insert_rows
from mailstore import sql
from mailstore.fields import mailbox_of
from mailstore.models import TODO_MARKS, Flag
from mailstore.services.rows import now_us

TODO_COLUMNS = "entry_id, mailbox_id, folder_id, due_us, done_us, created_us"


def insert_marks(entries: Iterable[tuple[int, int, int]]) -> None:
    """(entry, folder, flags): a row for each that has one of `TODO_MARKS`, due some day. In the caller's transaction."""
    marked = [each for each in entries if each[2] & TODO_MARKS]
    if not marked:
        return
    at_us = now_us()
    rows = [
        (entry_id, mailbox_of(entry_id), folder_id, None, at_us if flags & Flag.DONE else None, at_us)
        for entry_id, folder_id, flags in marked
    ]
    insert_rows("mailstore_todo", TODO_COLUMNS, rows)


def copy_marks(pairs: Sequence[tuple[int, int]]) -> None:
    """`pairs` are an entry and its copy, which is due at the same time. In the caller's transaction."""
    sql.run_many(
        f"INSERT INTO mailstore_todo ({TODO_COLUMNS}) SELECT %s, mailbox_id, folder_id, due_us, done_us, created_us "
        "FROM mailstore_todo WHERE entry_id = %s",
        [(new_id, old_id) for old_id, new_id in pairs],
    )
