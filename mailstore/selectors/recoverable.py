"""What can be recovered, newest deletion first, by key as every list.

What is older than the domain's recovery days doesn't show even before it is collected; neither does mail deleted from a
folder that is locked to this session. Replaced copies of drafts never come here, and a mail that lives on in another
folder is not deleted (mailstore.services.purge).
"""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from core.access import Access, Right
from mailstore import sql
from mailstore.selectors.folders import locked_folders
from mailstore.selectors.lists import MAX_LIMIT, SCAN_ROWS, UNCOUNTED, Key, text_condition

DEFAULT_DAYS = 14
DAY_US = 24 * 3600 * 1_000_000
MAX_COUNTED = 10_000
"""Beyond this nobody counts, and pages are reached one after the other."""

COLUMNS = (
    "r.id, r.folder_id, r.deleted_us, r.deleted_by, r.flags, r.attributes, r.sort_us, r.size, m.sent_us, m.sender_name, "
    "m.sender_address, m.recipients, m.subject, m.preview"
)


@dataclasses.dataclass(frozen=True, slots=True)
class RecoverableRow:
    """A mail that can come back. `deleted_by` is the account that deleted it, as text (empty: the system)."""

    entry_id: int
    folder_id: int
    deleted_us: int
    deleted_by: str
    flags: int
    attributes: int
    sort_us: int
    size: int
    sent_us: int | None
    sender_name: str
    sender_address: str
    recipients: str
    subject: str
    preview: str


@dataclasses.dataclass(frozen=True, slots=True)
class RecoverablePage:
    """As `lists.Page`; keys are (deleted µs, id). `total` is -1 for a text and beyond 10,000."""

    rows: list[RecoverableRow]
    next: Key | None
    previous: Key | None
    total: int
    days: int


@dataclasses.dataclass(frozen=True, slots=True)
class _Source:
    """The condition on `r` and its parameters."""

    condition: str
    values: list[Any]
    days: int


def recovery_days(mailbox: int) -> int:
    """How long the owner's domain keeps deleted mail."""
    query = (
        "SELECT d.recovery_days FROM accounts_account a JOIN accounts_domain d ON d.id = a.domain_id WHERE a.id = %s"
    )
    found = sql.row(query, [mailbox])
    return int(found[0]) if found else DEFAULT_DAYS


def recoverable_page(
    access: Access, *, text: str = "", after: Key | None = None, before: Key | None = None, limit: int = 50
) -> RecoverablePage:
    """A page, newest deletion first. `text` is looked for in subject, sender and recipients of the next 5,000 rows; a
    short page with a `next` goes on there. Four queries; needs READ."""
    access.require(Right.READ)
    limit = max(1, min(limit, MAX_LIMIT))
    source = _source(access)
    if text.strip():
        return _scan(source, text, after=after, limit=limit)
    rows = _rows(source, *_keyed(after, before), limit=limit + 1)
    is_more = len(rows) > limit
    rows = rows[:limit]
    if before is not None:
        rows.reverse()
    if not rows:
        return RecoverablePage([], None, None, _count(source), source.days)
    older = is_more if before is None else True
    newer = is_more if before is not None else after is not None
    first, last = _key_of(rows[0]), _key_of(rows[-1])
    return RecoverablePage(rows, last if older else None, first if newer else None, _count(source), source.days)


def recoverable_position(access: Access, page_number: int, page_size: int) -> Key | None:
    """The key after which page `page_number` (from 1) begins: None for the first. Among the newest 10,000; beyond the
    end the last page."""
    source = _source(access)
    total = _count(source)
    total = MAX_COUNTED if total == UNCOUNTED else total
    pages = max(1, -(-total // page_size))
    skip = (max(1, min(page_number, pages)) - 1) * page_size
    if not skip:
        return None
    query = (
        f"SELECT r.deleted_us, r.id FROM mailstore_recoverable r WHERE {source.condition} "
        "ORDER BY r.deleted_us DESC, r.id DESC LIMIT 1 OFFSET %s"
    )
    found = sql.row(query, [*source.values, skip - 1])
    return Key(*found) if found else None


def _source(access: Access) -> _Source:
    days = recovery_days(access.mailbox)
    condition, values = "r.mailbox_id = %s AND r.deleted_us >= %s", [access.mailbox, _oldest_us(days)]
    locked = locked_folders(access)
    if locked:
        condition += f" AND NOT r.folder_id IN ({sql.marks(locked)})"
    return _Source(condition, [*values, *locked], days)


def _oldest_us(days: int) -> int:
    return time.time_ns() // 1000 - days * DAY_US


def _keyed(after: Key | None, before: Key | None) -> tuple[str, str, list[int]]:
    """As `lists._keyed`, on `r`."""
    if before is not None:
        condition = " AND r.deleted_us >= %s AND (r.deleted_us > %s OR r.id > %s)"
        return condition, "ASC", [before.sort_us, before.sort_us, before.id]
    if after is not None:
        condition = " AND r.deleted_us <= %s AND (r.deleted_us < %s OR r.id < %s)"
        return condition, "DESC", [after.sort_us, after.sort_us, after.id]
    return "", "DESC", []


def _rows(source: _Source, condition: str, order: str, values: list[int], *, limit: int) -> list[RecoverableRow]:
    query = (
        f"SELECT {COLUMNS} FROM mailstore_recoverable r CROSS JOIN mailstore_message m WHERE {source.condition}{condition} "
        f"AND m.id = r.message_id ORDER BY r.deleted_us {order}, r.id {order} LIMIT %s"
    )
    return [RecoverableRow(*row) for row in sql.rows(query, [*source.values, *values, limit])]


def _scan(source: _Source, text: str, *, after: Key | None, limit: int) -> RecoverablePage:
    key, _, values = _keyed(after, None)
    matching, patterns = text_condition(text)
    walked = (
        f"SELECT r.* FROM mailstore_recoverable r WHERE {source.condition}{key} "
        f"ORDER BY r.deleted_us DESC, r.id DESC LIMIT {SCAN_ROWS}"
    )
    query = (
        f"SELECT {COLUMNS} FROM ({walked}) AS r CROSS JOIN mailstore_message m WHERE m.id = r.message_id{matching} "
        "ORDER BY r.deleted_us DESC, r.id DESC LIMIT %s"
    )
    rows = [RecoverableRow(*row) for row in sql.rows(query, [*source.values, *values, *patterns, limit + 1])]
    if len(rows) > limit:
        return RecoverablePage(rows[:limit], _key_of(rows[limit - 1]), None, UNCOUNTED, source.days)
    last = walked.replace("r.*", "r.deleted_us, r.id").replace(f"LIMIT {SCAN_ROWS}", f"LIMIT 1 OFFSET {SCAN_ROWS - 1}")
    end = sql.row(last, [*source.values, *values])
    return RecoverablePage(rows, Key(*end) if end else None, None, UNCOUNTED, source.days)


def _count(source: _Source) -> int:
    query = f"SELECT count(*) FROM (SELECT 1 FROM mailstore_recoverable r WHERE {source.condition} LIMIT {MAX_COUNTED + 1}) AS few"
    count = int(sql.row(query, source.values)[0])
    return count if count <= MAX_COUNTED else UNCOUNTED


def _key_of(row: RecoverableRow) -> Key:
    return Key(row.deleted_us, row.entry_id)
