"""The mail, or the conversation, before and after an opened one, in the list that it was opened from."""

from __future__ import annotations

import functools
from urllib.parse import urlsplit

from django.http import HttpRequest, QueryDict
from django.urls import Resolver404, resolve, reverse

from core.access import Access
from core.errors import MailError
from mailstore.selectors import entries
from mailstore.selectors.conversations import ConversationRow, conversation_page
from mailstore.selectors.entries import EntryRow
from mailstore.selectors.folders import FolderRow
from mailstore.selectors.lists import ListRow
from webmail.asked import Asked
from webmail.http import hides_marked
from webmail.listing import view_of

Around = tuple[str, str]
"""Addresses of the newer and the older one; empty for none."""


def around(request: HttpRequest, access: Access, folder: FolderRow, entry: EntryRow) -> Around:
    """By the order and the conditions of the list beside; a mail that this list doesn't show has none."""
    view = view_of(request, access, folder, _asked(request, folder))
    try:
        before, after = entries.neighbours(access, entry.entry_id, view.filter, view.sort)
    except MailError:
        return "", ""
    return _url(before), _url(after)


def around_conversation(request: HttpRequest, access: Access, folder: FolderRow, row: ConversationRow) -> Around:
    """By the date of the newest mail."""
    asked = _asked(request, folder)
    here = row.key
    beside = functools.partial(
        conversation_page,
        access,
        folder.id,
        unread="unread" in asked.show,
        starred="starred" in asked.show,
        unmarked=hides_marked(request, access, folder),
        limit=1,
    )
    newer, older = beside(before=here).rows, beside(after=here).rows
    return _thread_url(folder, newer), _thread_url(folder, older)


def _asked(request: HttpRequest, folder: FolderRow) -> Asked:
    """What the list beside shows; our script names its address."""
    parts = urlsplit(request.headers.get("X-List", ""))
    try:
        found = resolve(parts.path)
    except Resolver404:
        return Asked()
    if found.url_name != "folder" or found.kwargs["folder_id"] != folder.id:
        return Asked()
    return Asked.of(QueryDict(parts.query))


def _url(row: ListRow | None) -> str:
    return reverse("message", args=[row.folder_id, row.entry_id]) if row is not None else ""


def _thread_url(folder: FolderRow, rows: list[ConversationRow]) -> str:
    return reverse("conversation", args=[folder.id, rows[0].thread_id]) if rows else ""
