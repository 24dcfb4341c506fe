"""A page of a folder put together: rows, filters and the manual's pager n/N."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.access import Access, Right
from core.errors import MailError
from mailstore.models import Role
from mailstore.selectors.folders import FolderRow
from mailstore.selectors.lists import UNCOUNTED, Filter, Key, Page, list_page, position
from webmail.context import folder_name
from webmail.rows import Rows

FILTERS = {"": _("All"), "unread": _("Unread"), "starred": _("Starred"), "attachment": _("With attachments")}
FILTERS_BY_NAME = {
    "": Filter(),
    "unread": Filter(unread=True),
    "starred": Filter(starred=True),
    "attachment": Filter(attachment=True),
}
MAX_PAGE = 1_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Pager:
    """Links of the pager; empty where there is nothing. `pages` is 0 where nobody counted."""

    number: int
    pages: int
    previous: str
    next: str


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for."""

    name: str
    filter: Filter
    number: int
    after: Key | None
    before: Key | None
    query: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> Asked:
        """Nonsense counts as not asked."""
        name = query.get("show", "")
        name = name if name in FILTERS else ""
        text = query.get("page", "1")
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 1
        return cls(
            name=name,
            filter=FILTERS_BY_NAME[name],
            number=max(1, min(number, MAX_PAGE)),
            after=_key(query.get("after", "")),
            before=_key(query.get("before", "")),
            query=query.urlencode(),
        )

    def address(self, folder_id: int) -> str:
        """Where a script asks for this page again."""
        address = reverse("folder", args=[folder_id])
        return f"{address}?{self.query}" if self.query else address


def listing(
    access: Access, folder: FolderRow, asked: Asked, *, size: int, tree: Sequence[FolderRow], current: int = 0
) -> dict[str, Any]:
    """The context of `webmail/list.html`."""
    page, number = _page(access, folder, asked, size)
    pages = max(1, -(-page.total // size)) if page.total != UNCOUNTED else 0
    number = min(number, pages) if pages else number
    rows = Rows(role=folder.role, current=current)
    return {
        "folder": folder,
        "folder_id": str(folder.id),
        "name": folder_name(folder.role, folder.name),
        "rows": rows.render(page.rows),
        "is_empty": not page.rows,
        "count": len(page.rows),
        "asked": asked,
        "segments": _segments(folder, asked),
        "pager": _pager(folder, asked, page, number=number, pages=pages),
        "address": asked.address(folder.id),
        "targets": targets(tree, folder),
        "can": rights(access, folder),
    }


def targets(tree: Sequence[FolderRow], folder: FolderRow | None = None) -> list[dict[str, Any]]:
    """The folders that mail can be moved to."""
    hidden = {Role.DRAFTS, Role.SENT, Role.MONITOR}
    rows = [row for row in tree if (folder is None or row.id != folder.id) and row.role not in hidden]
    return [{"id": str(row.id), "shown": folder_name(row.role, row.name), "depth": min(row.depth, 5)} for row in rows]


def rights(access: Access, folder: FolderRow) -> dict[str, bool]:
    """What the toolbar offers here."""
    writable = not folder.is_read_only
    return {
        "flag": writable and access.may(Right.FLAG),
        "move": writable and access.may(Right.MOVE),
        "delete": writable and access.may(Right.DELETE),
        "junk": writable and access.may(Right.MOVE) and folder.role not in {Role.JUNK, Role.SENT, Role.DRAFTS},
        "not_junk": writable and access.may(Right.MOVE) and folder.role == Role.JUNK,
        "empty": access.may(Right.DELETE) and folder.role in {Role.TRASH, Role.JUNK} and folder.total > 0,
    }


def _key(text: str) -> Key | None:
    try:
        return Key.parse(text) if text else None
    except MailError:
        return None


def _page(access: Access, folder: FolderRow, asked: Asked, size: int) -> tuple[Page, int]:
    after, number = asked.after, asked.number
    if asked.before is not None:
        return list_page(access, folder.id, filter=asked.filter, before=asked.before, limit=size), number
    if after is None and number > 1:
        after = position(access, folder.id, number, size, filter=asked.filter, folder=folder)
        number = number if after is not None else 1
    return list_page(access, folder.id, filter=asked.filter, after=after, limit=size), number


def _pager(folder: FolderRow, asked: Asked, page: Page, *, number: int, pages: int) -> Pager:
    def link(**given: object) -> str:
        query = {"show": asked.name, **given} if asked.name else given
        return (
            f"{reverse('folder', args=[folder.id])}?{urlencode(query)}"
            if query
            else reverse("folder", args=[folder.id])
        )

    previous = ""
    if number > 2 and page.previous is not None:
        previous = link(before=page.previous, page=number - 1)
    elif number > 1:
        previous = link(page=number - 1) if number > 2 else link()
    following = link(after=page.next, page=number + 1) if page.next is not None and number != pages else ""
    return Pager(number, pages, previous, following)


def _segments(folder: FolderRow, asked: Asked) -> list[dict[str, Any]]:
    address = reverse("folder", args=[folder.id])
    return [
        {
            "name": name,
            "label": label,
            "url": f"{address}?show={name}" if name else address,
            "is_on": name == asked.name,
        }
        for name, label in FILTERS.items()
    ]
