"""Search over a mailbox: one box with operators, a panel that fills it, results newest first by key."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from webmail.http import current_access, is_fragment, mailbox_access
from webmail.searching import asked, from_panel, results


@login_required
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """`q` is the question, `mailbox` another mailbox, `after` where the last part ended. With `panel`, the fields of the
    panel become the question."""
    mailbox = request.GET.get("mailbox", "")
    access = (
        mailbox_access(request, int(mailbox)) if mailbox.isascii() and mailbox.isdigit() else current_access(request)
    )
    if "panel" in request.GET:
        query = {"q": from_panel(request.GET)} | ({"mailbox": mailbox} if mailbox else {})
        return redirect(f"{reverse('search')}?{urlencode(query)}")
    context = results(request, access, asked(request.GET), request.GET.get("after", ""))
    template = "webmail/search_part.html" if is_fragment(request, "list") else "webmail/search.html"
    return render(request, template, context)
