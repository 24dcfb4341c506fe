"""The list of a folder put together: rows of mails or of conversations, menus, and the manual's pager n/N."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from core.access import Access, Right
from mailstore.models import Role
from mailstore.selectors.folders import FolderRow
from mailstore.selectors.list_position import rank
from mailstore.selectors.list_walk import total_of
from mailstore.selectors.lists import UNCOUNTED, By, Filter, Key, Sort, list_page, position
from mailstore.services.orders import use_orders
from webmail import conversing, list_menus
from webmail.asked import Asked, effective
from webmail.context import folder_name
from webmail.delivery_words import held_words
from webmail.display import display_of
from webmail.http import folders_of, hides_marked
from webmail.labels import labels_of
from webmail.pager import Numbered, pager
from webmail.rows import Rows


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """What is looked at, and how: the conditions with what the folder hides, the order, the page's size."""

    folder: FolderRow
    asked: Asked
    filter: Filter
    sort: Sort
    size: int


def listing(
    request: HttpRequest, access: Access, folder: FolderRow, asked: Asked, *, current: int = 0, thread: int = 0
) -> dict[str, Any]:
    """The context of `webmail/list.html`; the row of the mail `current`, or of the conversation `thread`, is marked."""
    view = view_of(request, access, folder, asked)
    by_thread = display_of(request).conversations and conversing.suits(asked, view.sort)
    if by_thread:
        found = conversing.page(access, folder, asked, size=view.size, unmarked=view.filter.unmarked)
        rows = conversing.render(request, access, folder, found.page.rows, current=thread)
        numbered, count = found.numbered, len(found.page.rows)
    else:
        use_orders(access, folder, view.filter, view.sort)
        mails, numbered = _page(access, view)
        by_day = view.sort.by is By.DATE
        states = held_words(access) if folder.role == Role.DRAFTS else {}
        labels = labels_of(request, access)
        made = Rows(role=folder.role, current=current, labels=labels, states=states, by_day=by_day)
        rows = made.render(mails)
        count = len(mails)
    address = reverse("folder", args=[folder.id])
    total = total_of(view.filter, folder)
    return {
        "kind": "folder",
        "folder": folder,
        "folder_id": str(folder.id),
        "name": folder_name(folder.role, folder.name),
        "rows": rows,
        "by": "thread" if by_thread else "entry",
        "is_empty": not count,
        "count": count,
        "total": max(total, 0),
        "asked": asked,
        "segments": list_menus.segments(address, asked),
        "sorting": list_menus.sorting(address, asked, view.sort, role=folder.role),
        "filtering": list_menus.filtering(request, access, address, asked),
        "pager": pager(address, asked, numbered, size=view.size, count=count),
        "place": address,
        "by_date": view.sort.by is By.DATE,
        "address": asked.address(address),
        **tools(request, access, folder),
    }


def view_of(request: HttpRequest, access: Access, folder: FolderRow, asked: Asked) -> View:
    """How this reader looks at a folder under this address."""
    display = display_of(request)
    wanted = asked.filter
    if not wanted.todo and hides_marked(request, access, folder):
        wanted = dataclasses.replace(wanted, unmarked=True)
    return View(folder, asked, wanted, effective(asked, display.sorts.get(str(folder.id), "")), display.page_size)


def tools(request: HttpRequest, access: Access, folder: FolderRow) -> dict[str, Any]:
    """What the toolbars need."""
    return {
        "targets": targets(folders_of(request, access), folder),
        "labels": labels_of(request, access),
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
        "todo": writable and access.may(Right.FLAG) and folder.role not in {Role.TRASH, Role.JUNK, Role.DRAFTS},
    }


def rights_anywhere(access: Access) -> dict[str, bool]:
    """The same for a list across folders; the services refuse what a folder doesn't allow."""
    move, flag = access.may(Right.MOVE), access.may(Right.FLAG)
    return {"flag": flag, "move": move, "delete": access.may(Right.DELETE), "junk": move, "todo": flag}


def _page(access: Access, view: View) -> tuple[list[Any], Numbered]:
    """The rows, and where they stand."""
    asked, sort = view.asked, view.sort
    before, after, number = asked.key("before", sort), asked.key("after", sort), asked.number
    if before is None and after is None:
        after, number = _start(access, view)
    page = list_page(
        access,
        view.folder.id,
        filter=view.filter,
        sort=sort,
        before=before,
        after=after,
        limit=view.size,
        folder=view.folder,
    )
    total = total_of(view.filter, view.folder)
    pages = max(1, -(-total // view.size)) if total != UNCOUNTED else 0
    number = min(number, pages) if pages else number
    return page.rows, Numbered(number, pages, page.previous, page.next)


def _start(access: Access, view: View) -> tuple[Key | None, int]:
    """The key after which the page begins, and its number: by day, by number, or the first."""
    asked, sort = view.asked, view.sort
    moment = asked.moment(sort)
    if moment is not None:
        before = rank(view.folder, moment, filter=view.filter, sort=sort)
        return moment, 1 + (before or 0) // view.size
    if asked.number == 1:
        return None, 1
    after = position(access, view.folder.id, asked.number, view.size, filter=view.filter, sort=sort, folder=view.folder)
    return after, asked.number if after is not None else 1
