"""The list of conversations of a folder: by the date of their newest mail there, by key, as fast as the list of mails."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.fields import mailbox_of
from mailstore.selectors.folders import FolderRow, open_folder
from mailstore.selectors.list_filter import NOT_MARKED
from mailstore.selectors.list_order import Key, Walk
from mailstore.selectors.list_row import ROW_COLUMNS, UNCOUNTED, ListRow
from mailstore.threads import participants

MAX_LIMIT = 500
MAX_ENTRIES = 10_000
"""Entries of one bulk act on conversations."""
MAX_COUNTED = 20_000
MAX_US = (1 << 62) - 1
THREAD_COLUMNS = "ft.thread_id, ft.last_us, ft.total, ft.unread, ft.starred, ft.participants"

_MARKED_HERE = (
    "(SELECT count(*) FROM mailstore_threadof u CROSS JOIN mailstore_entry e CROSS JOIN mailstore_todo d "
    "WHERE u.thread_id = ft.thread_id AND e.message_id = u.message_id AND e.folder_id + 0 = ft.folder_id "
    "AND d.entry_id = e.id{})"
)
"""In forms that no index of the folder answers, so that both engines start at the conversation's own mails."""
UNMARKED_COLUMNS = (
    f"ft.thread_id, ft.last_us, ft.total - {_MARKED_HERE.format('')} AS total, "
    f"ft.unread - {_MARKED_HERE.format(' AND (e.flags & 1) < 1')} AS unread, "
    f"ft.starred - {_MARKED_HERE.format(' AND (e.flags & 4) > 0')} AS starred, ft.participants"
)
"""The same without to-do mails."""
UNMARKED = (
    " AND EXISTS (SELECT 1 FROM mailstore_threadof u CROSS JOIN mailstore_entry e WHERE u.thread_id = ft.thread_id "
    f"AND e.message_id = u.message_id AND e.folder_id + 0 = ft.folder_id{NOT_MARKED})"
)


@dataclasses.dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation in a folder: its counts, who wrote (oldest first) and its newest mail there."""

    thread_id: int
    last_us: int
    total: int
    unread: int
    starred: int
    participants: tuple[str, ...]
    newest: ListRow


@dataclasses.dataclass(frozen=True, slots=True)
class ConversationPage:
    """`next` and `previous` are keys (last date, thread) for `after` and `before`, None at an end."""

    rows: list[ConversationRow]
    next: Key | None
    previous: Key | None


def conversation_page(
    access: Access,
    folder_id: int,
    *,
    unread: bool = False,
    starred: bool = False,
    unmarked: bool = False,
    after: Key | None = None,
    before: Key | None = None,
    limit: int = 50,
    folder: FolderRow | None = None,
) -> ConversationPage:
    """A page of conversations, the one with the newest mail first; `unread` and `starred` show those with such a mail,
    `unmarked` leaves out those whose mails here are all to-do mails, and the to-do mails from the counts.
    Two queries; `folder` spares one where it has just been opened with this access. NOT_FOUND, NO_PERMISSION for a
    locked folder."""
    if folder is None or folder.id != folder_id:
        open_folder(access, folder_id)
    limit = max(1, min(limit, MAX_LIMIT))
    backwards = before is not None
    walk = Walk("ft.last_us", "ft.thread_id", up=backwards, id_up=backwards)
    condition, values = walk.beyond(before if backwards else after)
    condition += " AND ft.unread > 0" * unread + " AND ft.starred > 0" * starred + UNMARKED * unmarked
    chosen = (
        f"SELECT {UNMARKED_COLUMNS if unmarked else THREAD_COLUMNS}, ft.folder_id FROM mailstore_folderthread ft "
        f"WHERE ft.folder_id = %s AND ft.mailbox_id = %s{condition} ORDER BY {walk.order} LIMIT %s"
    )
    found = sql.rows(_with_newest(chosen), [folder_id, access.mailbox, *values, limit + 1])
    return _page(_rows(found), limit=limit, after=after, before=before)


def conversation_row(access: Access, folder_id: int, thread_id: int) -> ConversationRow:
    """One of them. NOT_FOUND when it has no mail in this folder."""
    open_folder(access, folder_id)
    if mailbox_of(thread_id) != access.mailbox:
        raise MailError(ErrorKind.NOT_FOUND)
    chosen = (
        f"SELECT {THREAD_COLUMNS}, ft.folder_id FROM mailstore_folderthread ft "
        "WHERE ft.thread_id = %s AND ft.folder_id = %s AND ft.mailbox_id = %s"
    )
    rows = _rows(sql.rows(_with_newest(chosen), [thread_id, folder_id, access.mailbox]))
    if not rows:
        raise MailError(ErrorKind.NOT_FOUND)
    return rows[0]


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """How many conversations a folder has (UNCOUNTED beyond MAX_COUNTED, so that a list costs the same in a folder of
    any size), how many of them have mail after the moment that was asked for, and the key after those to skip."""

    total: int
    newer: int
    after: Key | None


def conversation_place(
    folder_id: int, *, skip: int = 0, newer_than_us: int | None = None, unread: bool = False, starred: bool = False
) -> Place:
    """Of an opened folder, with such a mail; one query, walks in the index of dates and nothing else."""
    conditions = " AND unread > 0" * unread + " AND starred > 0" * starred
    inside = f"FROM mailstore_folderthread WHERE folder_id = %s{conditions}"
    moment = MAX_US if newer_than_us is None else newer_than_us
    query = (
        f"SELECT (SELECT count(*) FROM (SELECT 1 {inside} LIMIT {MAX_COUNTED + 1}) AS c), "
        f"(SELECT count(*) FROM (SELECT 1 {inside} AND last_us > %s LIMIT {MAX_COUNTED + 1}) AS n), "
        "p.last_us, p.thread_id FROM (SELECT 1) AS o LEFT JOIN "
        f"(SELECT last_us, thread_id {inside} ORDER BY last_us DESC, thread_id DESC LIMIT 1 OFFSET %s) AS p ON 1 = 1"
    )
    total, newer, last_us, thread_id = sql.row(query, [folder_id, folder_id, moment, folder_id, max(skip - 1, 0)])
    after = Key(last_us, thread_id) if skip > 0 and last_us is not None else None
    return Place(total if total <= MAX_COUNTED else UNCOUNTED, newer, after)


def conversation_entries(
    access: Access, folder_id: int, thread_ids: Sequence[int], *, unmarked: bool = False
) -> list[int]:
    """The entries of conversations in a folder, for an act on all of them; `unmarked` without to-do mails. NOT_FOUND for
    another mailbox's; LIMIT."""
    open_folder(access, folder_id)
    if any(mailbox_of(thread_id) != access.mailbox for thread_id in thread_ids):
        raise MailError(ErrorKind.NOT_FOUND)
    entry_ids: list[int] = []
    for part in sql.slices(thread_ids, 500):
        query = (
            "SELECT e.id FROM mailstore_threadof t CROSS JOIN mailstore_entry e "
            f"WHERE t.thread_id IN ({sql.marks(part)}) AND e.message_id = t.message_id AND e.folder_id = %s"
            f"{NOT_MARKED * unmarked} LIMIT %s"
        )
        entry_ids += [row[0] for row in sql.rows(query, [*part, folder_id, MAX_ENTRIES + 1])]
        if len(entry_ids) > MAX_ENTRIES:
            raise MailError(ErrorKind.LIMIT, limit=MAX_ENTRIES)
    return entry_ids


def _with_newest(chosen: str) -> str:
    """The newest mail is found by the date it gave its conversation: a point in the index of dates, whatever the size."""
    columns = ROW_COLUMNS.replace("COALESCE(ft.total, 1)", "ft.total")
    return (
        f"SELECT {THREAD_COLUMNS}, {columns} FROM ({chosen}) AS ft CROSS JOIN mailstore_entry e "
        "CROSS JOIN mailstore_threadof t CROSS JOIN mailstore_message m WHERE e.folder_id = ft.folder_id "
        "AND e.sort_us = ft.last_us AND t.message_id = e.message_id AND t.thread_id = ft.thread_id AND m.id = e.message_id"
    )


def _rows(found: Sequence[Any]) -> list[ConversationRow]:
    """Newest first; of mails of the same moment the last counts."""
    rows: dict[int, ConversationRow] = {}
    for row in found:
        thread_id, last_us, total, unread, starred, names = row[:6]
        people = tuple(participants(names))
        made = ConversationRow(thread_id, last_us, total, unread, starred, people, ListRow(*row[6:]))
        known = rows.get(made.thread_id)
        if known is None or known.newest.entry_id < made.newest.entry_id:
            rows[made.thread_id] = made
    return sorted(rows.values(), key=lambda row: (row.last_us, row.thread_id), reverse=True)


def _page(rows: list[ConversationRow], *, limit: int, after: Key | None, before: Key | None) -> ConversationPage:
    is_more = len(rows) > limit
    if is_more:
        rows = rows[1:] if before is not None else rows[:limit]
    if not rows:
        return ConversationPage([], None, None)
    first, last = (Key(row.last_us, row.thread_id) for row in (rows[0], rows[-1]))
    has_older = is_more if before is None else True
    has_newer = is_more if before is not None else after is not None
    return ConversationPage(rows, last if has_older else None, first if has_newer else None)
