"""待发送: what waits to be sent, and what may be done about it: write on, send now, cancel."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from documents.filetype import content_type_of
from mailstore.message import part, read
from mta.models import Delivery
from mta.selectors import OutboxMail, outbox, outbox_content, outbox_mail, was_here
from mta.services import cancel, send_now, take_back
from webmail import reading, scheduling, untrusted
from webmail.delivery_words import reason_words, state_words, tone_of
from webmail.http import actor_of, mailbox_access
from webmail.naming import Names, names_of
from webmail.views.body import shown_sheet

State = Delivery.State
MAX_ID = 2**63 - 1


@login_required
@require_safe
def outbox_page(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """The list of a mailbox."""
    access = mailbox_access(request, mailbox_id)
    request.current_place = "outbox"  # type: ignore[attr-defined]
    found = outbox(access)
    names = names_of(actor_of(request), access, [each for mail in found for each in mail.recipients])
    context: dict[str, Any] = {
        "mails": [_shown(each, names) for each in found],
        "mailbox": mailbox_id,
        "may_send": access.may(Right.SEND),
    }
    return render(request, "webmail/outbox.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def outbox_act(request: HttpRequest, mailbox_id: int, submission_id: int) -> HttpResponse:
    """GET shows the mail; POST: `act` is `edit` (the draft opens), `now` or `cancel`."""
    access = _access(request, mailbox_id, submission_id)
    if request.method != "POST":
        return _page(request, access, submission_id)
    try:
        draft_id = _done(request, access, submission_id)
    except MailError as error:
        if error.kind is ErrorKind.IN_USE:
            messages.warning(request, _("Too late: the mail has left."))
        elif error.data.get("field") == "suspended":
            words = _("Not sent: %(address)s is suspended or expired. You can edit the mail and send it as yours.")
            messages.warning(request, words % error.data)
        else:
            raise
        draft_id = None
    return redirect("compose", draft_id) if draft_id else redirect("outbox", mailbox_id)


@login_required
@require_safe
def outbox_body(request: HttpRequest, mailbox_id: int, submission_id: int) -> HttpResponse:
    """The mail's HTML for the frame, without remote pictures, under a mail's policy."""
    access = _access(request, mailbox_id, submission_id)
    return shown_sheet(request, outbox_content(access, submission_id))


@login_required
@require_safe
def outbox_part(request: HttpRequest, mailbox_id: int, submission_id: int, number: str) -> HttpResponse:
    """A file of it, to download."""
    access = _access(request, mailbox_id, submission_id)
    found = part(outbox_content(access, submission_id), number)
    content_type = content_type_of(found.filename, found.content, found.content_type)
    return untrusted.download(found.content, filename=found.filename, content_type=content_type)


def _access(request: HttpRequest, mailbox_id: int, submission_id: int) -> Access:
    access = mailbox_access(request, mailbox_id)
    if submission_id > MAX_ID:
        raise MailError(ErrorKind.NOT_FOUND)
    return access


def _page(request: HttpRequest, access: Access, submission_id: int) -> HttpResponse:
    """The mail as it waits; the list, where it has left meanwhile."""
    request.current_place = "outbox"  # type: ignore[attr-defined]
    try:
        found = outbox_mail(access, submission_id)
    except MailError as error:
        if error.kind is not ErrorKind.NOT_FOUND or not was_here(access, submission_id):
            raise
        messages.info(request, _("This mail has left."))
        return redirect("outbox", access.mailbox)
    opened = reading.opened(read(outbox_content(access, submission_id)), entry_id=0, mine=frozenset(), images=False)
    context: dict[str, Any] = {
        "mail": _shown(found, Names.of([])),
        "opened": opened,
        "mailbox": access.mailbox,
        "may_send": access.may(Right.SEND),
    }
    return render(request, "webmail/outbox_mail.html", context)


def _done(request: HttpRequest, access: Access, submission_id: int) -> int | None:
    """What was asked, and said; the draft to open, if any."""
    act = request.POST.get("act", "")
    if act == "edit":
        return take_back(access, submission_id)
    if act == "now":
        send_now(access, submission_id)
        messages.success(request, _("Sent"))
        return None
    if act != "cancel":
        raise MailError(ErrorKind.INVALID, field="act")
    stopped = cancel(access, submission_id)
    if stopped.draft_id:
        messages.success(request, _("Sending cancelled. The mail is in Drafts."))
    else:
        words = ngettext(
            "Sending to %(n)d recipient cancelled", "Sending to %(n)d recipients cancelled", len(stopped.recipients)
        )
        messages.success(request, words % {"n": len(stopped.recipients)})
    return None


def _shown(mail: OutboxMail, names: Names) -> dict[str, Any]:
    reason = ""
    if mail.is_kept:
        reason = _("the account was suspended or expired when it was to be sent; it waits for your decision")
    elif mail.state == State.DEFERRED:
        reason = reason_words(mail.error_code)
    return {
        "id": str(mail.submission_id),
        "subject": mail.subject,
        "state": mail.state,
        "words": _("Not sent") if mail.is_kept else state_words(mail.state),
        "tone": "warn" if mail.is_kept else tone_of(mail.state),
        "is_kept": mail.is_kept,
        "reason": reason,
        "due": scheduling.shown(mail.due_us) if mail.due_us and mail.state not in {State.QUEUED, State.SENDING} else "",
        "recipients": names.faces(mail.recipients),
        "more": mail.more,
        "waiting": mail.waiting,
        "total": mail.total,
        "is_gated": mail.is_gated,
        "may_stop": mail.may_stop,
        "may_hurry": mail.state in {State.HELD, State.SCHEDULED, State.DEFERRED},
    }
