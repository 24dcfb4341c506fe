"""What a bulk service acts on: some entries, or a whole folder through a filter; always in slices, a transaction
each, so that 100,000 mails never hold the write lock for long."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.fields import mailbox_of
from mailstore.selectors.folders import open_folder
from mailstore.selectors.lists import ALL, Filter, text_condition

MAX_IDS = 100_000
SLICE = 5_000
"""Rows of one transaction. It holds the write lock for 30 ms (flags) to 60 ms (a move), 100 ms for an expunge; slices of
1,000 write four times as many pages."""


@dataclasses.dataclass(frozen=True, slots=True)
class Selection:
    """`entry_ids`, or everything in `folder_id` that `filter` lets through."""

    entry_ids: Sequence[int] = ()
    folder_id: int | None = None
    filter: Filter = ALL


Chosen = Selection | Sequence[int]


def slices_of(access: Access, chosen: Chosen) -> Iterator[list[int]]:
    """Ids in slices. An id of another mailbox is NOT_FOUND before anything is changed."""
    selection = chosen if isinstance(chosen, Selection) else Selection(chosen)
    if selection.folder_id is not None:
        yield from _of_folder(access, selection.folder_id, selection.filter)
        return
    ids = list(dict.fromkeys(selection.entry_ids))
    if len(ids) > MAX_IDS:
        raise MailError(ErrorKind.LIMIT, limit=MAX_IDS)
    if ids and {mailbox_of(min(ids)), mailbox_of(max(ids))} != {access.mailbox}:
        raise MailError(ErrorKind.NOT_FOUND)
    yield from sql.slices(ids, SLICE)


def parameters_of(access: Access, chosen: Chosen) -> Iterator[Any]:
    """As `slices_of`, each slice as `sql.numbers` would make it: a whole folder's ids, in any order, go back to the
    database as they come out of it."""
    if isinstance(chosen, Selection) and chosen.folder_id is not None and chosen.filter == ALL:
        yield from _whole_folder(access, chosen.folder_id)
    else:
        yield from map(sql.numbers, slices_of(access, chosen))


def names_entries(chosen: Chosen) -> bool:
    """Whether single entries were named: then none of them being there is NOT_FOUND."""
    return bool(chosen.entry_ids) if isinstance(chosen, Selection) else bool(chosen)


def any_exists(access: Access, chosen: Chosen) -> bool:
    """Whether one of the named entries is there."""
    query = f"SELECT 1 FROM mailstore_entry WHERE {sql.among('id')} AND mailbox_id = %s LIMIT 1"
    return any(sql.row(query, [sql.numbers(part), access.mailbox]) for part in slices_of(access, chosen))


def _whole_folder(access: Access, folder_id: int) -> Iterator[Any]:
    """By UID, out of one index; only what was there at the start, so that it ends."""
    folder = open_folder(access, folder_id)
    last = 0
    some = "SELECT uid, id FROM mailstore_entry WHERE folder_id = %s AND uid > %s AND uid < %s ORDER BY uid LIMIT %s"
    query = f"SELECT max(s.uid), {sql.collected('s.id')} FROM ({some}) AS s"
    while True:
        reached, ids = sql.row(query, [folder_id, last, folder.uidnext, SLICE])
        if reached is None:
            return
        last = reached
        yield ids


def _of_folder(access: Access, folder_id: int, wanted: Filter) -> Iterator[list[int]]:
    """Oldest first, so that a move keeps the order; only what was there at the start, so that it ends."""
    folder = open_folder(access, folder_id)
    matching, patterns = text_condition(wanted.text)
    conditions, parameters = wanted.where()
    joined = " CROSS JOIN mailstore_message m" if matching else ""
    sort_us, last_id = -(1 << 62), 0
    while True:
        query = (
            f"SELECT e.sort_us, e.id FROM mailstore_entry e{joined} WHERE e.folder_id = %s AND e.uid < %s"
            f"{' AND m.id = e.message_id' if joined else ''}{conditions}{matching} "
            "AND e.sort_us >= %s AND (e.sort_us > %s OR e.id > %s) ORDER BY e.sort_us, e.id LIMIT %s"
        )
        found = sql.rows(query, [folder_id, folder.uidnext, *parameters, *patterns, sort_us, sort_us, last_id, SLICE])
        if not found:
            return
        sort_us, last_id = found[-1]
        yield [row[1] for row in found]
