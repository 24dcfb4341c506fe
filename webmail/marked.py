"""Lists across folders: 标签邮件, 待办邮件 and 已完成."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as _

from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore.selectors.list_marked import SLEEPING_ROLES, labelled_page, marks_of, todo_page
from mailstore.selectors.lists import NATURAL, ListRow, Page
from webmail import list_menus
from webmail.asked import Asked
from webmail.context import folder_name
from webmail.display import display_of
from webmail.http import folders_of, side_of
from webmail.labels import labels_of
from webmail.listing import rights_anywhere, targets
from webmail.pager import Numbered, pager
from webmail.rows import Rows


class TodoRows(Rows):
    """Rows of to-do mails: each with a button that moves it on, or back."""

    def __init__(self, *, done: bool, may_flag: bool, **options: Any) -> None:
        super().__init__(**options, by_day=False)
        self.words |= {"finish": _("Mark as completed"), "reopen": _("Mark as to do again")}
        self.button = ("todo", "reopen", "i-done") if done else ("done", "finish", "i-todo")
        self.may_flag = may_flag

    def _marks(self, row: ListRow) -> tuple[str, int]:
        shown, count = super()._marks(row)
        if not self.may_flag:
            return shown, count
        act, word, symbol = self.button
        word = escape(self.words[word])
        button = (
            f'<button class="row-do" name="{act}" value="{row.entry_id}" aria-label="{word}" title="{word}">'
            f'<svg class="icon" aria-hidden="true"><use href="#{symbol}"/></svg></button>'
        )
        return shown + button, count + 1


def label_listing(request: HttpRequest, access: Access, label_id: int, asked: Asked) -> dict[str, Any]:
    """The context of a label's list. NOT_FOUND for another mailbox's label, and for a keyword that is none."""
    labels = labels_of(request, access)
    found = next((each for each in labels if each.id == str(label_id)), None)
    if found is None:
        raise MailError(ErrorKind.NOT_FOUND)
    size = display_of(request).page_size
    before, after = asked.key("before", NATURAL), asked.key("after", NATURAL)
    after = after or asked.moment(NATURAL)
    page = labelled_page(
        access,
        label_id,
        filter=asked.filter,
        before=before,
        after=None if before else after,
        limit=size,
        left_out=_left_out(request, access),
    )
    address = reverse("label", args=[access.mailbox, label_id])
    rows = Rows(
        folder_names=_folder_names(request, access),
        labels=[each for each in labels if each.id != found.id],
        todo=marks_of(access, [row.entry_id for row in page.rows]) if side_of(request, access).marks else None,
    )
    return {
        "kind": "label",
        "label": found,
        "by_date": True,
        "name": found.name,
        "rows": rows.render(page.rows),
        "segments": list_menus.segments(address, asked),
        "filtering": list_menus.filtering(request, access, address, asked),
        **_shared(request, access, asked, page, address),
    }


def todo_listing(request: HttpRequest, access: Access, asked: Asked, *, done: bool) -> dict[str, Any]:
    """The context of 待办邮件, or of 已完成."""
    size = display_of(request).page_size
    before, after = asked.key("before", NATURAL), asked.key("after", NATURAL)
    page = todo_page(
        access,
        done=done,
        before=before,
        after=None if before else after,
        limit=size,
        left_out=_left_out(request, access),
    )
    can = rights_anywhere(access)
    rows = TodoRows(
        done=done,
        may_flag=can["todo"],
        folder_names=_folder_names(request, access),
        labels=labels_of(request, access),
    )
    name = _("Completed") if done else _("To-do mail")
    return {
        "kind": "done" if done else "todo",
        "name": name,
        "rows": rows.render(page.rows),
        **_shared(
            request, access, Asked(number=asked.number, before=asked.before, query=asked.query), page,
            reverse("todo_done" if done else "todo", args=[access.mailbox]),
        ),
    }  # fmt: skip


def _shared(request: HttpRequest, access: Access, asked: Asked, page: Page, address: str) -> dict[str, Any]:
    size, tree = display_of(request).page_size, folders_of(request, access)
    numbered = Numbered(asked.number, 0, page.previous, page.next)
    return {
        "by": "entry",
        "is_empty": not page.rows,
        "count": len(page.rows),
        "asked": asked,
        "pager": pager(address, asked, numbered, size=size, count=len(page.rows)),
        "place": address,
        "address": asked.address(address),
        "targets": targets([row for row in tree if not (row.is_read_only or row.is_locked)]),
        "labels": labels_of(request, access),
        "can": rights_anywhere(access),
    }


def _left_out(request: HttpRequest, access: Access) -> list[int]:
    """Folders whose mails such lists don't show; hidden folders have none that a page shows."""
    rows = folders_of(request, access)
    return [row.id for row in rows if row.is_locked or row.role in SLEEPING_ROLES]


def _folder_names(request: HttpRequest, access: Access) -> dict[int, str]:
    return {row.id: folder_name(row.role, row.name) for row in folders_of(request, access)}
