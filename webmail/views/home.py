"""邮箱首页: what waits, how full it is, who signed in; and the front door."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from logs_app.selectors import sign_ins
from mailstore.models import Role
from mailstore.selectors.folders import folder_by_role
from mailstore.selectors.lists import Filter, list_page
from mailstore.selectors.recoverable import recovery_days
from mta.selectors.approvals import pending_for
from webmail.http import actor_of, current_access, folder_of, hides_marked, mailbox_access
from webmail.labels import labels_of
from webmail.rows import Rows

SIGN_INS = 5
NEWEST = 6


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The first page after signing in."""
    access = current_access(request)
    inbox = folder_of(request, access, folder_by_role(access, Role.INBOX).id)
    newest = Filter(unread=True, unmarked=hides_marked(request, access, inbox))
    unread = list_page(access, inbox.id, filter=newest, limit=NEWEST)
    context: dict[str, Any] = {
        "greeting": _greeting(timezone.localtime().hour),
        "inbox": inbox,
        "drafts": folder_by_role(access, Role.DRAFTS),
        "recovery_days": recovery_days(access.mailbox),
        "rows": Rows(role=inbox.role, labels=labels_of(request, access)).render(unread.rows),
        "approvals": len(pending_for(actor_of(request))),
        "sign_ins": sign_ins(actor_of(request).pk, SIGN_INS),
    }
    return render(request, "webmail/home.html", context)


@login_required
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """收件箱 of one's own mailbox, by a name that can be bookmarked."""
    return redirect("folder", folder_by_role(current_access(request), Role.INBOX).id)


@login_required
@require_safe
def mailbox(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """The inbox of a mailbox the reader may open."""
    access = mailbox_access(request, mailbox_id)
    return redirect("folder", folder_by_role(access, Role.INBOX).id)


def _greeting(hour: int) -> str:
    if 5 <= hour < 12:
        return _("Good morning")
    return _("Good afternoon") if 12 <= hour < 18 else _("Good evening")
