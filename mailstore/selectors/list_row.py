"""A line of a list, and a page of them."""

from __future__ import annotations

import dataclasses

from mailstore.selectors.list_order import Key

UNCOUNTED = -1

ROW_COLUMNS = (
    "e.id, e.folder_id, e.uid, e.flags, e.attributes, e.keywords, e.sort_us, e.size, m.sender_name, m.sender_address, "
    "m.recipients, m.subject, m.preview, COALESCE(ft.total, 1), e.message_id"
)
ROW_JOINS = (
    "CROSS JOIN mailstore_message m LEFT JOIN mailstore_threadof t ON t.message_id = e.message_id "
    "LEFT JOIN mailstore_folderthread ft ON ft.thread_id = COALESCE(t.thread_id, e.message_id) AND ft.folder_id = e.folder_id"
)
"""CROSS JOIN keeps SQLite's planner from starting at the messages; the condition is in WHERE."""


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
    nothing counts (a text, attachments, several conditions, the whole mailbox). Where one call looks at a bounded part
    only (a text, several conditions, a filter in another order than the date's) a page may be short or empty with a
    `next`: it goes on there."""

    rows: list[ListRow]
    next: Key | None
    previous: Key | None
    total: int
