"""Lists of entries, by key: the same cost at any depth of a folder.

A key is (value of the order's column, id) of a row; a page starts after or before one, never at an offset. What leads
through a folder is chosen in `list_walk`; a page by number is found in `list_position`.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.fields import COUNTER_BITS, mailbox_of, pack
from mailstore.selectors.folders import FolderRow, locked_folders, open_folder
from mailstore.selectors.list_filter import ALL, Filter
from mailstore.selectors.list_order import NATURAL, By, Key, Sort
from mailstore.selectors.list_position import position
from mailstore.selectors.list_row import ROW_COLUMNS, ROW_JOINS, UNCOUNTED, ListRow, Page
from mailstore.selectors.list_walk import Asked, walk_folder

__all__ = [
    "ALL",
    "NATURAL",
    "ROW_COLUMNS",
    "ROW_JOINS",
    "UNCOUNTED",
    "By",
    "Filter",
    "Key",
    "ListRow",
    "Page",
    "Sort",
    "list_page",
    "position",
    "text_condition",
]

MAX_LIMIT = 500
SCAN_ROWS = 5_000
"""Rows that one call of a text search looks at; the next call goes on from its key."""
MAX_TEXT_CHARS = 100


def list_page(
    access: Access,
    folder_id: int | None,
    *,
    filter: Filter = ALL,  # noqa: A002 - the contract's name
    sort: Sort = NATURAL,
    after: Key | None = None,
    before: Key | None = None,
    limit: int = 50,
    folder: FolderRow | None = None,
) -> Page:
    """A page of a folder, newest first unless `sort` says otherwise; of the whole mailbox (without trash, junk and
    locked folders, newest arrival first) for None. One query in the order of dates with at most one condition; for the
    others `folder` spares one where it has just been opened with this access.
    NOT_FOUND, NO_PERMISSION for a locked folder, INVALID for a key of another order."""
    access.require(Right.READ)
    limit = max(1, min(limit, MAX_LIMIT))
    if folder_id is None:
        return _scan(access, _whole_mailbox(access), filter, after=after, limit=limit)
    if mailbox_of(folder_id) != access.mailbox:
        raise MailError(ErrorKind.NOT_FOUND)
    if filter.text.strip():
        open_folder(access, folder_id)
        return _scan(access, _Source(f"e.folder_id = {int(folder_id)}"), filter, after=after, limit=limit)
    return walk_folder(access, folder_id, Asked(filter, sort, after=after, before=before, limit=limit), folder=folder)


@dataclasses.dataclass(frozen=True, slots=True)
class _Source:
    """What a text search walks: by date in a folder, by id (newest arrival) through a mailbox."""

    condition: str
    by_id: bool = False


def _whole_mailbox(access: Access) -> _Source:
    first, last = pack(access.mailbox, 0), pack(access.mailbox, (1 << COUNTER_BITS) - 1)
    left_out = f"SELECT id FROM mailstore_folder WHERE mailbox_id = {int(access.mailbox)} AND role IN ('trash', 'junk')"
    condition = f"e.id BETWEEN {first} AND {last} AND e.folder_id NOT IN ({left_out})"
    locked = ", ".join(str(folder_id) for folder_id in locked_folders(access))
    return _Source(f"{condition} AND e.folder_id NOT IN ({locked})" if locked else condition, by_id=True)


def _scan(access: Access, source: _Source, wanted: Filter, *, after: Key | None, limit: int) -> Page:
    """Match the next SCAN_ROWS rows; short pages say where to go on."""
    order = "e.id DESC" if source.by_id else "e.sort_us DESC, e.id DESC"
    key: str = ""
    values: Sequence[object] = ()
    if after is not None:
        key, values = (" AND e.id < %s", [after.id]) if source.by_id else NATURAL.walk().beyond(after)
    conditions, parameters = wanted.where()
    walked = (
        f"SELECT e.* FROM mailstore_entry e WHERE {source.condition} AND e.mailbox_id = %s{conditions}{key} "
        f"ORDER BY {order} LIMIT {SCAN_ROWS}"
    )
    matching, patterns = text_condition(wanted.text)
    query = f"SELECT {ROW_COLUMNS} FROM ({walked}) AS e {ROW_JOINS} WHERE m.id = e.message_id{matching} ORDER BY {order} LIMIT %s"
    rows = [ListRow(*row) for row in sql.rows(query, [access.mailbox, *parameters, *values, *patterns, limit + 1])]
    if len(rows) > limit:
        return Page(rows[:limit], Key(rows[limit - 1].sort_us, rows[limit - 1].entry_id), None, UNCOUNTED)
    last = walked.replace("e.*", "e.sort_us, e.id").replace(f"LIMIT {SCAN_ROWS}", f"LIMIT 1 OFFSET {SCAN_ROWS - 1}")
    end = sql.row(last, [access.mailbox, *parameters, *values])
    return Page(rows, Key(*end) if end else None, None, UNCOUNTED)


def text_condition(text: str) -> tuple[str, list[str]]:
    """` AND (…)` on the message `m` and its patterns; nothing for an empty text. Every word must be found."""
    condition, patterns = "", []
    for word in text[:MAX_TEXT_CHARS].replace("\0", "").split():
        ways = [f"%{sql.escaped(each)}%" for each in _cases(word)]
        columns = ("m.subject", "m.sender_name", "m.sender_address", "m.recipients")
        tests = [rf"{column} {sql.like()} %s ESCAPE '\'" for column, _ in itertools.product(columns, ways)]
        condition += f" AND ({' OR '.join(tests)})"
        patterns += ways * len(columns)
    return condition, patterns


def _cases(word: str) -> list[str]:
    """LIKE of SQLite folds ASCII only: other letters are tried as typed, small, large and capitalised."""
    word = word.encode("utf-8", "ignore").decode()
    return [word] if word.isascii() else list(dict.fromkeys([word, word.lower(), word.upper(), word.title()]))
