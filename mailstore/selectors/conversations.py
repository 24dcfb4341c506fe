"""The list of conversations of a folder: by the date of their newest mail there, by key, as fast as the list of mails.

A conversation of several mails here is a row of `folder_thread`; a single mail is its entry. Both are walked in their own
index of dates and merged; where mails of long conversations lie between the single ones, one call looks at MAX_WALKED
of them and says where to go on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.fields import mailbox_of
from mailstore.flag_lists import Lead, lead
from mailstore.folder_threads import participants
from mailstore.selectors.folders import FolderRow, open_folder
from mailstore.selectors.list_filter import NOT_MARKED
from mailstore.selectors.list_order import Key, Walk
from mailstore.selectors.list_row import ROW_COLUMNS, UNCOUNTED, ListRow
from mailstore.thread_members import members, members_of

MAX_LIMIT = 500
MAX_ENTRIES = 10_000
"""Entries of one bulk act on conversations."""
MAX_COUNTED = 20_000
MAX_US = (1 << 62) - 1
MAX_WALKED = 2_000
"""Entries that one page looks at for single mails."""

_MARKED_HERE = (
    f"(SELECT count(*) FROM {members_of('ft.thread_id')} AS s CROSS JOIN mailstore_entry e CROSS JOIN mailstore_todo d "
    "WHERE e.message_id = s.message_id AND e.folder_id + 0 = ft.folder_id AND d.entry_id = e.id{})"
)
"""In forms that no index of the folder answers, so that both engines start at the conversation's own mails."""
_COUNTS = "ft.total, ft.unread, ft.starred"
_UNMARKED_COUNTS = (
    f"ft.total - {_MARKED_HERE.format('')} AS total, ft.unread - {_MARKED_HERE.format(' AND (e.flags & 1) < 1')} AS unread, "
    f"ft.starred - {_MARKED_HERE.format(' AND (e.flags & 4) > 0')} AS starred"
)
"""The same without to-do mails."""
_UNMARKED = (
    f" AND EXISTS (SELECT 1 FROM {members_of('ft.thread_id')} AS s CROSS JOIN mailstore_entry e "
    f"WHERE e.message_id = s.message_id AND e.folder_id + 0 = ft.folder_id{NOT_MARKED})"
)
_NEWEST = (
    "(SELECT max(n.id) FROM mailstore_entry n LEFT JOIN mailstore_threadof o ON o.message_id = n.message_id "
    "WHERE n.folder_id = ft.folder_id AND n.sort_us = ft.last_us "
    "AND COALESCE(o.thread_id, n.message_id) = ft.thread_id) AS entry_id"
)
"""The newest mail is found by the date it gave its conversation: a point in the index of dates, whatever the size."""
_SINGLE = (
    "e.sort_us AS us, e.id AS id, COALESCE(t.thread_id, e.message_id) AS thread_id, 1 AS total, "
    "CASE WHEN (e.flags & 1) = 0 THEN 1 ELSE 0 END AS unread, CASE WHEN (e.flags & 4) = 4 THEN 1 ELSE 0 END AS starred, "
    "'' AS participants, e.id AS entry_id"
)
_ALONE = (
    "LEFT JOIN mailstore_threadof t ON t.message_id = e.message_id LEFT JOIN mailstore_folderthread ft "
    "ON ft.thread_id = COALESCE(t.thread_id, e.message_id) AND ft.folder_id = e.folder_id WHERE ft.thread_id IS NULL"
)


@dataclasses.dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation in a folder: its counts, who wrote (oldest first; nobody is named for a single mail) and its newest
    mail there. `key` is its place in the list."""

    key: Key
    thread_id: int
    total: int
    unread: int
    starred: int
    participants: tuple[str, ...]
    newest: ListRow

    @property
    def last_us(self) -> int:
        """When its newest mail came."""
        return self.newest.sort_us


@dataclasses.dataclass(frozen=True, slots=True)
class ConversationPage:
    """`next` and `previous` are keys for `after` and `before`, None at an end. A page may be short with a `next`: it goes
    on there."""

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
    Three queries at most; `folder` spares one where it has just been opened with this access. NOT_FOUND, NO_PERMISSION for a
    locked folder."""
    if folder is None or folder.id != folder_id:
        folder = open_folder(access, folder_id)
    limit = max(1, min(limit, MAX_LIMIT))
    key, backwards = (before, True) if before is not None else (after, False)
    shown = _Shown(unread, starred, unmarked)
    reached = _reached(folder_id, shown, key, backwards=backwards) if folder.total > MAX_WALKED else None
    several, values = _several(folder_id, shown, key, backwards=backwards)
    single, more = _single(folder_id, shown, key, reached, backwards=backwards)
    way = "ASC" if backwards else "DESC"
    merged = _merged(several, single, way)
    found = sql.rows(_with_mails(merged), [*values, limit + 1, *more, limit + 1, limit + 1])
    rows = sorted(map(_row, found), key=lambda row: (row.key.value, row.key.id), reverse=True)
    return _page(rows, limit=limit, after=after, before=before, reached=reached)


def conversation_row(access: Access, folder_id: int, thread_id: int) -> ConversationRow:
    """One of them. NOT_FOUND when it has no mail in this folder."""
    open_folder(access, folder_id)
    if mailbox_of(thread_id) != access.mailbox:
        raise MailError(ErrorKind.NOT_FOUND)
    several = (
        f"SELECT ft.last_us AS us, ft.thread_id AS id, ft.thread_id, {_COUNTS}, ft.participants, {_NEWEST} "
        "FROM mailstore_folderthread ft WHERE ft.thread_id = %s AND ft.folder_id = %s"
    )
    single = (
        f"SELECT {_SINGLE} FROM {members_of('%s')} AS s CROSS JOIN mailstore_entry e "
        "LEFT JOIN mailstore_threadof t ON t.message_id = e.message_id "
        "WHERE e.message_id = s.message_id AND e.folder_id + 0 = %s LIMIT 1"
    )
    found = sql.rows(_with_mails(several), [thread_id, folder_id])
    found = found or sql.rows(_with_mails(single), [thread_id, thread_id, folder_id])
    if not found:
        raise MailError(ErrorKind.NOT_FOUND)
    return _row(found[0])


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
    """Of an opened folder, with such a mail; one query. How many is read from counters; a jump walks in the indexes of
    dates."""
    shown = _Shown(unread, starred, False)
    counted = "unread" if unread else "starred" if starred else "total"
    total, values = f"f.{counted} - COALESCE(c.entries, 0) + c.rows", list[object]()
    if unread and starred:
        keys, values = _keys(folder_id, shown, MAX_COUNTED + 1)
        total = f"(SELECT count(*) FROM ({keys}) AS k)"
    newer = "0"
    if newer_than_us is not None:
        keys, more = _keys(folder_id, shown, MAX_COUNTED + 1, Key(newer_than_us, MAX_US))
        newer, values = f"(SELECT count(*) FROM ({keys}) AS n)", [*values, *more]
    several = f"SELECT {counted} AS entries FROM mailstore_folderthread ft WHERE ft.folder_id = %s{shown.several}"
    reached, values = "SELECT NULL AS us, NULL AS id", [*values, folder_id]
    if newer_than_us is None and skip > 0:
        keys, more = _keys(folder_id, shown, skip)
        reached = f"SELECT us, id FROM ({keys}) AS s ORDER BY us DESC, id DESC LIMIT 1 OFFSET %s"
        values = [*values, *more, skip - 1]
    query = (
        f"SELECT {total}, c.rows, {newer}, p.us, p.id FROM mailstore_folder f CROSS JOIN "
        f"(SELECT sum(entries) AS entries, count(*) AS rows FROM ({several} LIMIT {MAX_COUNTED + 1}) AS l) AS c "
        f"LEFT JOIN ({reached}) AS p ON 1 = 1 WHERE f.id = %s"
    )
    found = sql.row(query, [*values, folder_id])
    all_, rows, passed = map(int, found[:3])
    return Place(
        all_ if rows <= MAX_COUNTED and all_ <= MAX_COUNTED else UNCOUNTED,
        min(passed, MAX_COUNTED + 1),
        Key(found[3], found[4]) if found[3] is not None else None,
    )


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
            f"SELECT e.id FROM {members()} AS s CROSS JOIN mailstore_entry e "
            f"WHERE e.message_id = s.message_id AND e.folder_id + 0 = %s{NOT_MARKED * unmarked} LIMIT %s"
        )
        numbers = sql.numbers(part)
        entry_ids += [row[0] for row in sql.rows(query, [numbers, numbers, folder_id, MAX_ENTRIES + 1])]
        if len(entry_ids) > MAX_ENTRIES:
            raise MailError(ErrorKind.LIMIT, limit=MAX_ENTRIES)
    return entry_ids


@dataclasses.dataclass(frozen=True, slots=True)
class _Shown:
    """Which conversations: conditions on rows of several mails and on single ones."""

    unread: bool
    starred: bool
    unmarked: bool

    @property
    def several(self) -> str:
        return " AND ft.unread > 0" * self.unread + " AND ft.starred > 0" * self.starred + _UNMARKED * self.unmarked

    @property
    def single(self) -> Lead:
        return lead(unread=self.unread, starred=self.starred)


def _walk(key: Key | None, columns: tuple[str, str], *, backwards: bool) -> tuple[str, list[object], str]:
    walk = Walk(*columns, up=backwards, id_up=backwards)
    condition, values = walk.beyond(key)
    return condition, values, walk.order


def _several(folder_id: int, shown: _Shown, key: Key | None, *, backwards: bool) -> tuple[str, list[object]]:
    condition, values, order = _walk(key, ("ft.last_us", "ft.thread_id"), backwards=backwards)
    counts = _UNMARKED_COUNTS if shown.unmarked else _COUNTS
    return (
        f"SELECT ft.last_us AS us, ft.thread_id AS id, ft.thread_id, {counts}, ft.participants, {_NEWEST} "
        f"FROM mailstore_folderthread ft WHERE ft.folder_id = %s{condition}{shown.several} ORDER BY {order} LIMIT %s"
    ), [folder_id, *values]


def _single(
    folder_id: int, shown: _Shown, key: Key | None, reached: Key | None, *, backwards: bool
) -> tuple[str, list[object]]:
    single = shown.single
    condition, values, order = _walk(key, (single.sort_us, single.id), backwards=backwards)
    until, more = Walk(single.sort_us, single.id, up=backwards, id_up=backwards).until(reached)
    where = f"AND {single.folder_id} = %s{condition}{until}{single.condition}{NOT_MARKED * shown.unmarked}"
    query = f"SELECT {_SINGLE} FROM {single.source} {_ALONE} {where} ORDER BY {order} LIMIT %s"
    return query, [folder_id, *values, *more]


def _reached(folder_id: int, shown: _Shown, key: Key | None, *, backwards: bool) -> Key | None:
    """The last of the entries that a page looks at for single mails, if there are so many."""
    single = shown.single
    condition, values, order = _walk(key, (single.sort_us, single.id), backwards=backwards)
    query = (
        f"SELECT {single.sort_us}, {single.id} FROM {single.source} "
        f"WHERE {single.folder_id} = %s{condition}{single.condition} ORDER BY {order} LIMIT 1 OFFSET {MAX_WALKED - 1}"
    )
    found = sql.row(query, [folder_id, *values])
    return Key(*found) if found else None


def _keys(folder_id: int, shown: _Shown, limit: int, newer_than: Key | None = None) -> tuple[str, list[object]]:
    """The keys of the newest `limit` of each kind, newer than one where it is given."""
    alone = shown.single
    conditions, values = ["", ""], []
    if newer_than is not None:
        conditions, values = [" AND ft.last_us > %s", f" AND {alone.sort_us} > %s"], [newer_than.value]
    several = (
        "SELECT ft.last_us AS us, ft.thread_id AS id FROM mailstore_folderthread ft "
        f"WHERE ft.folder_id = %s{conditions[0]}{shown.several} ORDER BY ft.last_us DESC, ft.thread_id DESC LIMIT %s"
    )
    single = (
        f"SELECT {alone.sort_us} AS us, {alone.id} AS id FROM {alone.source} {_ALONE} "
        f"AND {alone.folder_id} = %s{conditions[1]}{alone.condition} "
        f"ORDER BY {alone.sort_us} DESC, {alone.id} DESC LIMIT %s"
    )
    both = [folder_id, *values, limit]
    return f"SELECT * FROM ({several}) AS a UNION ALL SELECT * FROM ({single}) AS b", [*both, *both]


def _merged(several: str, single: str, way: str) -> str:
    both = f"SELECT * FROM ({several}) AS a UNION ALL SELECT * FROM ({single}) AS b"
    return f"SELECT * FROM ({both}) AS u ORDER BY us {way}, id {way} LIMIT %s"


def _with_mails(chosen: str) -> str:
    columns = ROW_COLUMNS.replace("COALESCE(ft.total, 1)", "c.total")
    return (
        f"SELECT c.us, c.id, c.thread_id, c.total, c.unread, c.starred, c.participants, {columns} FROM ({chosen}) AS c "
        "CROSS JOIN mailstore_entry e CROSS JOIN mailstore_message m WHERE e.id = c.entry_id AND m.id = e.message_id"
    )


def _row(row: Sequence[Any]) -> ConversationRow:
    us, place, thread_id, total, unread, starred, names = row[:7]
    people = tuple(participants(names))
    return ConversationRow(Key(us, place), thread_id, total, unread, starred, people, ListRow(*row[7:]))


def _page(
    rows: list[ConversationRow], *, limit: int, after: Key | None, before: Key | None, reached: Key | None
) -> ConversationPage:
    """Newest first. What lies beyond `reached` belongs to the next call."""
    backwards = before is not None
    if reached is not None:
        at = (reached.value, reached.id)
        rows = [row for row in rows if ((row.key.value, row.key.id) < at) == backwards or row.key == reached]
    is_more = len(rows) > limit
    if is_more:
        rows = rows[1:] if backwards else rows[:limit]
        reached = None
    if not rows and reached is None:
        return ConversationPage([], None, None)
    first, last = (rows[0].key, rows[-1].key) if rows else (before or after, before or after)
    older, newer = last, first
    if reached is not None:
        older, newer = (last, reached) if backwards else (reached, first)
    has_older = backwards or is_more or reached is not None
    has_newer = after is not None if not backwards else is_more or reached is not None
    return ConversationPage(rows, older if has_older else None, newer if has_newer else None)
