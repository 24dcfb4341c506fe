"""投递状态 of one sent mail, 撤回, and 发信投递状态日志 (18.4.3, 19.1.3 of the manual)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from core.times import moment
from mailstore.selectors import entries
from mta.models import Delivery
from mta.selectors import Status, delivery_log, status
from mta.selectors.status import LOG_DAYS, owner_of
from mta.services.openings import RECALL_DAYS
from mta.services.recall import recall
from mta.services.sending import send_settings
from webmail import ways
from webmail.delivery_words import reason_words, state_words, tone_of
from webmail.http import MAX_ID, actor_of, mailbox_access
from webmail.log_asked import SIZE, LogAsked
from webmail.naming import Names, names_of

State = Delivery.State


@login_required
@require_safe
def way(request: HttpRequest, submission_id: int) -> HttpResponse:
    """All recipients of a sent mail, and what a recall came to."""
    access, found = _status(request, submission_id)
    names = names_of(actor_of(request), access, ways.addresses(found))
    context = {"way": ways.shown(found, names), "is_open": True, "mail_url": _mail_url(access, found)}
    return render(request, "webmail/way.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def way_recall(request: HttpRequest, submission_id: int) -> HttpResponse:
    """GET asks, POST recalls; a second time says so."""
    access, found = _status(request, submission_id)
    access.require(Right.SEND)
    if request.method != "POST":
        context = {"id": str(submission_id), "subject": found.subject or _("(no subject)"), "days": RECALL_DAYS}
        return render(request, "webmail/way_recall.html", context)
    try:
        recall(access, submission_id)
    except MailError as error:
        if error.kind not in {ErrorKind.EXISTS, ErrorKind.INVALID}:
            raise
        said = _("This mail was recalled already.") if error.kind is ErrorKind.EXISTS else _("Too late to recall it.")
        messages.warning(request, said)
    return redirect("way", submission_id)


@login_required
@require_safe
def delivery_log_page(request: HttpRequest) -> HttpResponse:
    """One's own log of the last 90 days."""
    access = mailbox_access(request, actor_of(request).pk)
    asked = LogAsked.of(request)
    since, until = asked.period
    page = delivery_log(access, asked.where, since=since, until=until, size=SIZE)
    asked.counted(page)
    names = names_of(actor_of(request), access, [row.recipient for row in page.rows])
    context: dict[str, Any] = {
        "rows": [_line(row, names) for row in page.rows],
        "asked": asked,
        "days": LOG_DAYS,
        "follows": send_settings(access.mailbox).follows,
    }
    return render(request, "webmail/delivery_log.html", context)


def _status(request: HttpRequest, submission_id: int) -> tuple[Access, Status]:
    if submission_id > MAX_ID:
        raise MailError(ErrorKind.NOT_FOUND)
    access = mailbox_access(request, owner_of(submission_id))
    return access, status(access, submission_id)


def _mail_url(access: Access, found: Status) -> str:
    """The copy in 已发送, where it lies now; empty when there is none."""
    if found.entry_id is None:
        return ""
    try:
        entry = entries.get(access, found.entry_id)
    except MailError:
        return ""
    return reverse("message", args=[entry.folder_id, entry.entry_id])


def _line(row: Delivery, names: Names) -> dict[str, Any]:
    return {
        "at": moment(row.submission.created_us),
        "recipient": names.face(row.recipient),
        "subject": row.submission.subject,
        "words": state_words(row.state),
        "tone": tone_of(row.state),
        "reason": reason_words(row.code) if row.state in {State.BOUNCED, State.DEFERRED} else "",
    }
