"""Lists of entries, by key: the same cost at any depth of a folder (store.md, Lists).

A key is (sort date, id) of a row; a page starts after or before one, never at an offset. `position` finds the key of a
page by number through anchors, every 1,000th key, kept per process while the folder's membership stays the same.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.ddl import ATTACHMENT, STARRED, UNREAD
from mailstore.fields import COUNTER_BITS, mailbox_of, pack
from mailstore.selectors.folders import FolderRow, is_locked, locked_folders, open_folder

MAX_LIMIT = 500
SCAN_ROWS = 5_000
"""Rows that one call of a text search looks at; the next call goes on from its key."""
MAX_TEXT_CHARS = 100
ANCHOR_ROWS = 1_000
ANCHOR_FOLDERS = 500
"""Folders whose anchors a process keeps: 100 keys for one of 100,000 mails."""
UNCOUNTED = -1

ROW_COLUMNS = (
    "e.id, e.folder_id, e.uid, e.flags, e.attributes, e.keywords, e.sort_us, e.size, m.sender_name, m.sender_address, "
    "m.recipients, m.subject, m.preview, COALESCE(ft.total, 1), e.message_id"
)
ROW_JOINS = (
    "CROSS JOIN mailstore_message m LEFT JOIN mailstore_threadof t ON t.message_id = e.message_id "
    "LEFT JOIN mailstore_folderthread ft ON ft.thread_id = t.thread_id AND ft.folder_id = e.folder_id"
)
"""CROSS JOIN keeps SQLite's planner from starting at the messages; the condition is in WHERE."""


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """Where a row stands: newest first by date, then id. As text `sort_us.id`."""

    sort_us: int
    id: int

    def __str__(self) -> str:
        return f"{self.sort_us}.{self.id}"

    @classmethod
    def parse(cls, text: str) -> Key:
        """The way back; INVALID for anything else."""
        sort_us, _, entry_id = text[:60].partition(".")
        digits = sort_us.removeprefix("-")
        if not (digits + entry_id).isascii() or not digits.isdigit() or not entry_id.isdigit():
            raise MailError(ErrorKind.INVALID, field="key")
        key = cls(int(sort_us), int(entry_id))
        if abs(key.sort_us) >= 1 << 63 or key.id >= 1 << 63:
            raise MailError(ErrorKind.INVALID, field="key")
        return key


@dataclasses.dataclass(frozen=True, slots=True)
class Filter:
    """Which entries; all conditions must hold. `text` is looked for in subject, sender and recipients."""

    unread: bool = False
    starred: bool = False
    attachment: bool = False
    text: str = ""

    def conditions(self) -> str:
        """The conditions of the partial indexes (mailstore.ddl) on the entry `e`."""
        chosen = ((self.unread, UNREAD), (self.starred, STARRED), (self.attachment, ATTACHMENT))
        return "".join(f" AND {condition.replace('(', '(e.', 1)}" for wanted, condition in chosen if wanted)


@dataclasses.dataclass(frozen=True, slots=True)
class ListRow:
    """A line of a list."""

    entry_id: int
    folder_id: int
    uid: int
    flags: int
    attributes: int
    keywords: int
    sort_us: int
    size: int
    sender_name: str
    sender_address: str
    recipients: str
    subject: str
    preview: str
    thread_count: int
    """Entries of its conversation in its folder."""
    message_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """`next` starts the older page (`after`), `previous` the newer one (`before`); None at an end. `total` is -1 where
    nothing counts (a text, attachments, the whole mailbox). A page of a text search may be short or empty with a
    `next`: it goes on there."""

    rows: list[ListRow]
    next: Key | None
    previous: Key | None
    total: int


def list_page(
    access: Access,
    folder_id: int | None,
    *,
    filter: Filter = Filter(),  # noqa: A002 - the contract's name; frozen
    after: Key | None = None,
    before: Key | None = None,
    limit: int = 50,
) -> Page:
    """A page of a folder, newest first; of the whole mailbox (without trash, junk and locked folders, newest arrival
    first) for None. One query, with a text two. NOT_FOUND, NO_PERMISSION for a locked folder."""
    access.require(Right.READ)
    limit = max(1, min(limit, MAX_LIMIT))
    if folder_id is None:
        return _scan(access, _whole_mailbox(access), filter, after=after, limit=limit)
    if mailbox_of(folder_id) != access.mailbox:
        raise MailError(ErrorKind.NOT_FOUND)
    if filter.text.strip():
        open_folder(access, folder_id)
        return _scan(access, _Source(f"e.folder_id = {int(folder_id)}"), filter, after=after, limit=limit)
    return _folder_page(access, folder_id, filter, after=after, before=before, limit=limit)


def _folder_page(
    access: Access, folder_id: int, wanted: Filter, *, after: Key | None, before: Key | None, limit: int
) -> Page:
    condition, order, values = _keyed(after, before)
    listed = (
        f"SELECT 1, '', {ROW_COLUMNS} FROM mailstore_entry e {ROW_JOINS} WHERE e.folder_id = %s AND e.mailbox_id = %s "
        f"AND m.id = e.message_id{wanted.conditions()}{condition} ORDER BY e.sort_us {order}, e.id {order} LIMIT %s"
    )
    folder = (
        "SELECT 0, lock_scope, id, total, unread, starred, 0, 0, 0, 0, '', '', '', '', '', 0, 0 "
        "FROM mailstore_folder WHERE id = %s AND mailbox_id = %s"
    )
    parameters = [folder_id, access.mailbox, folder_id, access.mailbox, *values, limit + 1]
    found = sql.rows(f"{folder} UNION ALL SELECT * FROM ({listed}) AS page", parameters)
    head = next((row for row in found if row[0] == 0), None)
    if head is None:
        raise MailError(ErrorKind.NOT_FOUND)
    if is_locked(access, folder_id, head[1]):
        raise MailError(ErrorKind.NO_PERMISSION, locked=folder_id)
    rows = [ListRow(*row[2:]) for row in found if row[0] == 1]
    return _page(rows, limit=limit, after=after, before=before, total=_total(wanted, head[3:6]))


def _keyed(after: Key | None, before: Key | None) -> tuple[str, str, list[object]]:
    """The key condition in the form that both engines walk an index by, the direction, the parameters."""
    if before is not None:
        condition = " AND e.sort_us >= %s AND (e.sort_us > %s OR e.id > %s)"
        return condition, "ASC", [before.sort_us, before.sort_us, before.id]
    if after is not None:
        condition = " AND e.sort_us <= %s AND (e.sort_us < %s OR e.id < %s)"
        return condition, "DESC", [after.sort_us, after.sort_us, after.id]
    return "", "DESC", []


def _page(rows: list[ListRow], *, limit: int, after: Key | None, before: Key | None, total: int) -> Page:
    rows.sort(key=lambda row: (row.sort_us, row.entry_id), reverse=True)
    is_more = len(rows) > limit
    if is_more:
        rows = rows[1:] if before is not None else rows[:limit]
    if not rows:
        return Page([], None, None, total)
    first, last = key_of(rows[0]), key_of(rows[-1])
    has_older = is_more if before is None else True
    has_newer = is_more if before is not None else after is not None
    return Page(rows, last if has_older else None, first if has_newer else None, total)


def key_of(row: ListRow) -> Key:
    """Where a listed row stands."""
    return Key(row.sort_us, row.entry_id)


def _total(wanted: Filter, counters: Sequence[int]) -> int:
    total, unread, starred = counters
    chosen = (wanted.unread, wanted.starred, wanted.attachment)
    return {(False, False, False): total, (True, False, False): unread, (False, True, False): starred}.get(
        chosen, UNCOUNTED
    )


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
        key, _, values = (" AND e.id < %s", "", [after.id]) if source.by_id else _keyed(after, None)
    walked = (
        f"SELECT e.* FROM mailstore_entry e WHERE {source.condition} AND e.mailbox_id = %s{wanted.conditions()}{key} "
        f"ORDER BY {order} LIMIT {SCAN_ROWS}"
    )
    matching, patterns = text_condition(wanted.text)
    query = f"SELECT {ROW_COLUMNS} FROM ({walked}) AS e {ROW_JOINS} WHERE m.id = e.message_id{matching} ORDER BY {order} LIMIT %s"
    rows = [ListRow(*row) for row in sql.rows(query, [access.mailbox, *values, *patterns, limit + 1])]
    if len(rows) > limit:
        return Page(rows[:limit], key_of(rows[limit - 1]), None, UNCOUNTED)
    last = walked.replace("e.*", "e.sort_us, e.id").replace(f"LIMIT {SCAN_ROWS}", f"LIMIT 1 OFFSET {SCAN_ROWS - 1}")
    end = sql.row(last, [access.mailbox, *values])
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


class Anchors:
    """Every ANCHOR_ROWSth key of the folders that were jumped in, for as long as their membership stays."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], list[Key]] = OrderedDict()

    def of(self, version: tuple[object, ...]) -> list[Key]:
        """The anchors found so far, newest first; a new list for a new version."""
        with self._lock:
            found = self._kept.setdefault(version, [])
            self._kept.move_to_end(version)
            while len(self._kept) > ANCHOR_FOLDERS:
                self._kept.popitem(last=False)
            return found

    def clear(self) -> None:
        """Forget (tests)."""
        with self._lock:
            self._kept.clear()


anchors = Anchors()


def position(
    access: Access,
    folder_id: int,
    page_number: int,
    page_size: int,
    *,
    filter: Filter = Filter(),  # noqa: A002
) -> Key | None:
    """The key after which page `page_number` (from 1) begins: None for the first. Beyond the end: where the last page
    begins. For a filter that nothing counts, beyond the end is the last row."""
    folder = open_folder(access, folder_id)
    total = _total(filter, (folder.total, folder.unread, folder.starred))
    pages = max(1, -(-total // page_size)) if total != UNCOUNTED else page_number
    row_number = (max(1, min(page_number, pages)) - 1) * page_size
    return _key_at(folder, filter, row_number) if row_number else None


def _key_at(folder: FolderRow, wanted: Filter, row_number: int) -> Key | None:
    """The key of the `row_number`th row from the newest (1 is the first)."""
    is_plain = wanted == Filter()
    version = (folder.uidnext, folder.total) if is_plain else (folder.highestmodseq, wanted)
    known = anchors.of((folder.id, *version))
    _extend(folder, wanted, known, row_number // ANCHOR_ROWS)
    reached = min(row_number // ANCHOR_ROWS, len(known))
    start = known[reached - 1] if reached else None
    rest = row_number - reached * ANCHOR_ROWS
    if not rest:
        return start
    found = _steps(folder, wanted, start, rest - 1)
    return found or _steps(folder, wanted, None, 0, order="ASC")


def _extend(folder: FolderRow, wanted: Filter, known: list[Key], count: int) -> None:
    """Walk on until `count` anchors are known; each step reads 1,000 keys of the index and nothing else."""
    while len(known) < count:
        found = _steps(folder, wanted, known[-1] if known else None, ANCHOR_ROWS - 1)
        if found is None:
            return
        known.append(found)


def _steps(folder: FolderRow, wanted: Filter, start: Key | None, skip: int, *, order: str = "DESC") -> Key | None:
    condition, _, values = _keyed(start, None)
    query = (
        f"SELECT e.sort_us, e.id FROM mailstore_entry e WHERE e.folder_id = %s{wanted.conditions()}{condition} "
        f"ORDER BY e.sort_us {order}, e.id {order} LIMIT 1 OFFSET %s"
    )
    row: Any = sql.row(query, [folder.id, *values, skip])
    return Key(*row) if row else None
