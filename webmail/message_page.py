"""What the reading pane's template needs around the opened mail: its conversation, its folder, what may be done."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from core.access import Access
from mailstore.message import Readable
from mailstore.models import Flag
from mailstore.selectors import entries
from mailstore.selectors.entries import EntryRow
from mailstore.selectors.lists import ListRow
from webmail import drafting, reading
from webmail.authenticity import authenticity
from webmail.http import actor_of, folder_of, folders_of
from webmail.listing import rights, targets
from webmail.people import Face

MAX_THREAD = 100
"""Rows of a conversation on the page; a longer one is cut at its far ends."""


@dataclasses.dataclass(frozen=True, slots=True)
class ThreadRow:
    """Another mail of the conversation."""

    url: str
    face: Face
    preview: str
    date: str
    iso: str
    is_seen: bool


def context(
    request: HttpRequest, access: Access, entry: EntryRow, readable: Readable, *, images: bool, trace: bytes
) -> dict[str, Any]:
    """Everything for `webmail/message_pane.html`; `trace` is our block in front of the mail. Its names agree with those of `webmail.listing`, so that both can
    stand on one page.
    """
    folder = folder_of(request, access, entry.folder_id)
    mine = drafting.mine(actor_of(request), access.mailbox).addresses
    opened = reading.opened(readable, entry_id=entry.entry_id, mine=mine, images=images)
    at = opened.sent_at or reading.at_us(entry.sort_us)
    before, after = _thread(access, entry)
    newer, older = entries.neighbours(access, entry.entry_id)
    return {
        "entry": entry,
        "entry_id": str(entry.entry_id),
        "folder_id": str(entry.folder_id),
        "role": entry.folder_role,
        "opened": opened,
        "from_people": [opened.sender],
        "origin": authenticity(trace),
        "answer_to": (opened.reply_to or [opened.sender])[0].shown,
        "images": images,
        "flags": reading.flag_names(entry.flags),
        "can": rights(access, folder),
        "targets": targets(folders_of(request, access), folder),
        "thread_before": before,
        "thread_after": after,
        "newer": _url(newer),
        "older": _url(older),
        "here": _url(entry),
        "after": _url(older or newer) or reverse("folder", args=[entry.folder_id]),
        "date_short": reading.short_date(at),
        "date_full": reading.full_date(at),
        "date_iso": at.isoformat(),
    }


def _thread(access: Access, entry: EntryRow) -> tuple[list[ThreadRow], list[ThreadRow]]:
    """The older and the newer mail of the conversation, oldest first, each message once."""
    if not entry.thread_id:
        return [], []
    rows = [row for row in _once(entries.thread(access, entry.entry_id)) if row.message_id != entry.message_id]
    rows.sort(key=lambda row: (row.sort_us, row.entry_id))
    before = [_thread_row(row) for row in rows if row.sort_us <= entry.sort_us]
    after = [_thread_row(row) for row in rows if row.sort_us > entry.sort_us]
    return before[-MAX_THREAD:], after[:MAX_THREAD]


def _once(rows: Iterable[ListRow]) -> list[ListRow]:
    return list({row.message_id: row for row in rows}.values())


def _thread_row(row: ListRow) -> ThreadRow:
    at = reading.at_us(row.sort_us)
    return ThreadRow(
        url=reverse("message", args=[row.folder_id, row.entry_id]),
        face=Face(row.sender_name, row.sender_address),
        preview=row.preview,
        date=reading.short_date(at),
        iso=at.isoformat(),
        is_seen=bool(row.flags & Flag.SEEN),
    )


def _url(row: ListRow | None) -> str:
    """The address of a mail, nothing for none."""
    return reverse("message", args=[row.folder_id, row.entry_id]) if row is not None else ""
