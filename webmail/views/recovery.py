"""恢复误删邮件 (chapter 17): what was deleted for good in the last days, to be put back into a folder."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from core.access import Access, Right
from core.errors import MailError
from mailstore.models import Role
from mailstore.selectors.lists import UNCOUNTED, Key
from mailstore.selectors.recoverable import RecoverablePage, recoverable_page, recoverable_position
from webmail.asked import MAX_PAGE
from webmail.context import folder_name
from webmail.display import display_of
from webmail.http import current_access, folders_of, is_fragment, mailbox_access
from webmail.pager import Pager
from webmail.recovery_rows import RecoveryRows

MAX_TEXT_CHARS = 200


@login_required
@require_safe
def recovery(request: HttpRequest) -> HttpResponse:
    """`q` is a text, `mailbox` another mailbox; `page` with `after` or `before` where a page begins."""
    mailbox = request.GET.get("mailbox", "")
    access = (
        mailbox_access(request, int(mailbox)) if mailbox.isascii() and mailbox.isdigit() else current_access(request)
    )
    text = " ".join(request.GET.get("q", "").split())[:MAX_TEXT_CHARS]
    number, size = _number(request), display_of(request).page_size
    page = _page(request, access, text, number, size)
    pages = max(1, -(-page.total // size)) if page.total != UNCOUNTED else 0
    number = min(number, pages) if pages else number
    context = {
        "q_here": text,
        "rows": RecoveryRows().render_recoverable(page.rows),
        "count": len(page.rows),
        "total": page.total if page.total != UNCOUNTED else 0,
        "days": page.days,
        "is_empty": not page.rows,
        "pager": _pager(access, page, text=text, number=number, pages=pages),
        "targets": _targets(request, access),
        "may_recover": access.may(Right.INSERT),
        "mailbox": access.mailbox,
        "is_own": access.mailbox == request.user.pk,
    }
    template = "webmail/recovery_part.html" if is_fragment(request, "list") else "webmail/recovery.html"
    return render(request, template, context)


def _number(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 1
    return max(1, min(number, MAX_PAGE))


def _page(request: HttpRequest, access: Access, text: str, number: int, size: int) -> RecoverablePage:
    after, before = _key(request.GET.get("after", "")), _key(request.GET.get("before", ""))
    if after is None and before is None and number > 1 and not text:
        after = recoverable_position(access, number, size)
    return recoverable_page(access, text=text, after=after, before=None if after else before, limit=size)


def _key(text: str) -> Key | None:
    try:
        return Key.parse(text) if text else None
    except MailError:
        return None


def _pager(access: Access, page: RecoverablePage, *, text: str, number: int, pages: int) -> Pager:
    def link(**given: object) -> str:
        asked = {"q": text, "mailbox": access.mailbox, **given}
        return f"{reverse('recovery')}?{urlencode({name: value for name, value in asked.items() if value})}"

    previous = ""
    if number > 2 and page.previous is not None:
        previous = link(before=page.previous, page=number - 1)
    elif number > 1:
        previous = link(page=number - 1) if number > 2 and not text else link()
    following = link(after=page.next, page=number + 1) if page.next is not None and number != pages else ""
    return Pager(number, pages, previous, following)


def _targets(request: HttpRequest, access: Access) -> list[dict[str, Any]]:
    """Folders that mail can come back to."""
    rows = [row for row in folders_of(request, access) if not row.is_read_only and row.role not in _NO_TARGETS]
    return [{"id": str(row.id), "shown": folder_name(row.role, row.name), "depth": min(row.depth, 5)} for row in rows]


_NO_TARGETS = frozenset({Role.DRAFTS, Role.TRASH, Role.MONITOR})
