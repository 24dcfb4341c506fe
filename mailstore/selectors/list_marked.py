"""Lists across folders: the mails of a label, the to-do mails and those that are done.

Mails in trash, junk and locked folders are left out: a mark sleeps while its mail lies there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.ddl import ENTRY_SUMS
from mailstore.selectors.list_filter import ALL, NOTHING, Condition, Filter
from mailstore.selectors.list_order import NATURAL, Key, Walk
from mailstore.selectors.list_row import Page
from mailstore.selectors.list_walk import Asked, walk_source

MAX_LIMIT = 500
SLEEPING_ROLES = ("trash", "junk")
"""Roles of the folders where a to-do mark has no effect."""

MARKED = f"e.folder_id, {ENTRY_SUMS}, sum(CASE WHEN d.done_us IS NULL THEN 1 ELSE 0 END)"
"""A folder and the fields of its `MarkCount`."""


@dataclasses.dataclass(frozen=True, slots=True)
class MarkCount:
    """Marked mails of a folder, done ones included; `open` are those to do."""

    total: int
    unread: int
    starred: int
    open: int


def labelled_page(
    access: Access,
    label_id: int,
    *,
    filter: Filter = ALL,  # noqa: A002 - as in list_page
    after: Key | None = None,
    before: Key | None = None,
    limit: int = 50,
    left_out: Sequence[int] | None = None,
) -> Page:
    """A page of a label's mails, newest first; bounded when `filter` has conditions. One query when `left_out` names the
    folders that aren't shown. Nothing for another mailbox's label; INVALID for a key of another order."""
    hidden = _left_out(access) if left_out is None else left_out
    source = _Labelled("labelled", NOTHING, NOTHING, label_id, tuple(hidden))
    return _walk(access, source, Asked(filter, NATURAL, after, before, limit))


def todo_page(
    access: Access,
    *,
    done: bool = False,
    after: Key | None = None,
    before: Key | None = None,
    limit: int = 50,
    left_out: Sequence[int] | None = None,
) -> Page:
    """A page of the to-do mails, the last marked first; of those that are `done`, the last done first."""
    hidden = _left_out(access) if left_out is None else left_out
    source = _Marked("marked", NOTHING, NOTHING, done, tuple(hidden))
    return _walk(access, source, Asked(ALL, NATURAL, after, before, limit))


def mark_counts(access: Access) -> dict[int, MarkCount]:
    """Marked mails by folder: what a folder's own counters hold too much for pages that leave them out. One query."""
    access.require(Right.READ)
    query = (
        f"SELECT {MARKED} FROM mailstore_todo d CROSS JOIN mailstore_entry e WHERE d.mailbox_id = %s "
        "AND e.id = d.entry_id GROUP BY e.folder_id"
    )
    return {row[0]: MarkCount(*map(int, row[1:])) for row in sql.rows(query, [access.mailbox])}


def marks_of(access: Access, entry_ids: list[int]) -> dict[int, bool]:
    """Which of these entries have a to-do mark, and whether it is done."""
    access.require(Right.READ)
    query = (
        f"SELECT entry_id, done_us FROM mailstore_todo WHERE entry_id IN ({sql.marks(entry_ids)}) AND mailbox_id = %s"
    )
    return {row[0]: row[1] is not None for row in sql.rows(query, [*entry_ids, access.mailbox])}


def _walk(access: Access, source: Condition, asked: Asked) -> Page:
    access.require(Right.READ)
    if asked.key is not None:
        asked.key.require(asked.sort)
    if asked.limit < 1 or asked.limit > MAX_LIMIT:
        raise MailError(ErrorKind.INVALID, field="limit")
    return walk_source(access.mailbox, source, asked)


def _left_out(access: Access) -> list[int]:
    """Folders whose mails such a list doesn't show."""
    query = (
        "SELECT id, role FROM mailstore_folder WHERE mailbox_id = %s "
        f"AND (role IN ({sql.marks(SLEEPING_ROLES)}) OR lock_scope <> '')"
    )
    found = sql.rows(query, [access.mailbox, *SLEEPING_ROLES])
    return [row[0] for row in found if row[1] in SLEEPING_ROLES or (access.actor and row[0] not in access.unlocked)]


def _outside(column: str, folders: tuple[int, ...]) -> str:
    """The sum keeps SQLite on the index that gives the order."""
    return f" AND NOT {column} + 0 IN ({', '.join(map(str, folders)) or '0'})"


@dataclasses.dataclass(frozen=True, slots=True)
class _Labelled(Condition):
    """The label's own index by date."""

    keyword_id: int
    left_out: tuple[int, ...]

    def source(self, mailbox: int, folder_id: int) -> tuple[str, str, list[object]]:
        """Through all folders."""
        where = f"l.keyword_id = %s AND l.mailbox_id = %s AND e.id = l.entry_id{_outside('l.folder_id', self.left_out)}"
        return "mailstore_entrylabel l CROSS JOIN mailstore_entry e", where, [self.keyword_id, mailbox]

    def walk(self, walk: Walk) -> Walk:
        """By date."""
        return dataclasses.replace(walk, value="l.sort_us", id="l.entry_id")


@dataclasses.dataclass(frozen=True, slots=True)
class _Marked(Condition):
    """The marks by when they were set, or done."""

    done: bool
    left_out: tuple[int, ...]

    def source(self, mailbox: int, folder_id: int) -> tuple[str, str, list[object]]:
        """Through all folders."""
        state = "d.done_us IS NOT NULL" if self.done else "d.done_us IS NULL"
        where = f"d.mailbox_id = %s AND {state} AND e.id = d.entry_id{_outside('e.folder_id', self.left_out)}"
        return "mailstore_todo d CROSS JOIN mailstore_entry e", where, [mailbox]

    def walk(self, walk: Walk) -> Walk:
        """By the mark's own time."""
        return dataclasses.replace(walk, value="d.done_us" if self.done else "d.created_us", id="d.entry_id")
