"""Search by subject, sender and recipient over the mailbox; a long one goes on where it stopped."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from core.access import Right
from mailstore.selectors.lists import Filter, Key, list_page
from webmail.context import folder_name
from webmail.display import display_of
from webmail.http import MAX_ID, current_access, folders_of, is_fragment, mailbox_access
from webmail.listing import targets
from webmail.rows import Rows

MAX_TEXT_CHARS = 200


@login_required
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """`q` is the text, `mailbox` another mailbox, `after` where the last part ended."""
    mailbox = request.GET.get("mailbox", "")
    access = (
        mailbox_access(request, int(mailbox)) if mailbox.isascii() and mailbox.isdigit() else current_access(request)
    )
    text = " ".join(request.GET.get("q", "").split())[:MAX_TEXT_CHARS]
    after = request.GET.get("after", "")
    start = int(after) if after.isascii() and after.isdigit() and len(after) < 20 and int(after) <= MAX_ID else None
    key = Key(0, start) if start is not None else None
    size = display_of(request).page_size
    page = list_page(access, None, filter=Filter(text=text), after=key, limit=size) if text else None
    names = {row.id: folder_name(row.role, row.name) for row in folders_of(request, access)}
    rows = page.rows if page else []
    more = ""
    if page and page.next is not None:
        more = f"{reverse('search')}?{urlencode({'q': text, 'mailbox': access.mailbox, 'after': page.next.id})}"
    context = {
        "q": text,
        "rows": Rows(folder_names=names).render(rows),
        "count": len(rows),
        "is_empty": not rows,
        "is_continued": start is not None,
        "more": more,
        "can": {
            "flag": access.may(Right.FLAG),
            "move": access.may(Right.MOVE),
            "delete": access.may(Right.DELETE),
        },
        "targets": targets(folders_of(request, access)),
        "mailbox": access.mailbox,
    }
    template = "webmail/search_part.html" if is_fragment(request, "list") else "webmail/search.html"
    return render(request, template, context)
