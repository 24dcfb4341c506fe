"""What a bulk service acts on: some entries, or a whole folder through a filter; always in slices of 1,000 rows, a
transaction each, so that 100,000 mails never hold the write lock for long."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.fields import mailbox_of
from mailstore.selectors.folders import open_folder
from mailstore.selectors.lists import ALL, Filter, text_condition

MAX_IDS = 100_000


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
    if any(mailbox_of(entry_id) != access.mailbox for entry_id in ids):
        raise MailError(ErrorKind.NOT_FOUND)
    yield from sql.slices(ids)


def names_entries(chosen: Chosen) -> bool:
    """Whether single entries were named: then none of them being there is NOT_FOUND."""
    return bool(chosen.entry_ids) if isinstance(chosen, Selection) else bool(chosen)


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
        found = sql.rows(
            query, [folder_id, folder.uidnext, *parameters, *patterns, sort_us, sort_us, last_id, sql.SLICE]
        )
        if not found:
            return
        sort_us, last_id = found[-1]
        yield [row[1] for row in found]
