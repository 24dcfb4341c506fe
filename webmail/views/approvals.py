"""发信审批: what waits for one's decision, with the mail itself; the signed link; the log of 19.1.5."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Account
from accounts.selectors import access_for
from core.errors import ErrorKind, MailError
from core.times import moment
from documents.filetype import content_type_of
from mailstore.message import part, read
from mta.approval.asking import DECISION, RECIPIENTS_SHOWN
from mta.approval.deciding import COMMENT_MAX, decide, may_decide
from mta.models import Approval
from mta.selectors import approvals as selectors
from webmail import reading, scheduling, untrusted
from webmail.http import MAX_ID, actor_of
from webmail.log_asked import SIZE, LogAsked
from webmail.naming import Names, names_of
from webmail.views.body import shown_sheet

State = Approval.State
TONES = {
    State.PENDING: "warn",
    State.APPROVED: "good",
    State.PASSED: "good",
    State.REFUSED: "bad",
    State.EXPIRED: "bad",
    State.WITHDRAWN: "quiet",
}


@login_required
@require_safe
def approvals(request: HttpRequest) -> HttpResponse:
    """What waits, oldest first."""
    request.current_place = "approvals"  # type: ignore[attr-defined]
    found = selectors.pending_for(actor_of(request))
    names = _names(actor_of(request), found)
    rows = [_shown(each, names) for each in found]
    return render(request, "webmail/approvals.html", {"rows": rows})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def approval(request: HttpRequest, approval_id: int) -> HttpResponse:
    """GET shows the mail; POST `agree` or `refuse` decides, once."""
    request.current_place = "approvals"  # type: ignore[attr-defined]
    found = _found(request, approval_id)
    if request.method == "POST":
        _decide(request, approval_id, actor_of(request))
        return redirect("approvals")
    shown = _shown(found, _names(actor_of(request), [found]))
    return render(request, "webmail/approval.html", {"it": shown, **_mail(found, shown), "comment_max": COMMENT_MAX})


@login_required
@require_safe
def approval_body(request: HttpRequest, approval_id: int) -> HttpResponse:
    """The mail's HTML for the frame, without remote pictures, under a mail's policy."""
    return shown_sheet(request, selectors.content(_found(request, approval_id)))


@login_required
@require_safe
def approval_part(request: HttpRequest, approval_id: int, number: str) -> HttpResponse:
    """A file of it, to download."""
    found = part(selectors.content(_found(request, approval_id)), number)
    content_type = content_type_of(found.filename, found.content, found.content_type)
    return untrusted.download(found.content, filename=found.filename, content_type=content_type)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def approval_link(request: HttpRequest, token: str) -> HttpResponse:
    """The link of a notice, without signing in: GET asks (programs that check links get it too), POST decides, once."""
    approval_id, account_id = DECISION.read(token)
    actor = Account.objects.select_related("domain").filter(pk=account_id).first()
    found = Approval.objects.select_related("submission").filter(pk=approval_id).first()
    if actor is None or found is None or not may_decide(found, actor):
        raise MailError(ErrorKind.NOT_FOUND)
    done = ""
    if request.method == "POST":
        done = _decide(request, approval_id, actor, is_said=False)
        found.refresh_from_db()
    context = {
        "it": _shown(found, _names(actor, [found])),
        "done": done,
        "is_pending": found.state == State.PENDING,
        "actor": actor,
    }
    return render(request, "webmail/approval_link.html", context | {"comment_max": COMMENT_MAX})


@login_required
@require_safe
def approval_log_page(request: HttpRequest) -> HttpResponse:
    """发信审批日志."""
    asked = LogAsked.of(request, states=frozenset(State.values))
    page = selectors.approval_log(
        actor_of(request),
        asked.where,
        state=asked.state,
        period=asked.period,
        as_approver=asked.mine,
        size=SIZE,
    )
    asked.counted(page)
    names = _names(actor_of(request), page.rows)
    context: dict[str, Any] = {
        "rows": [_shown(each, names) for each in page.rows],
        "asked": asked,
        "states": [("", _("All")), *State.choices],
    }
    return render(request, "webmail/approval_log.html", context)


def _decide(request: HttpRequest, approval_id: int, actor: Account, *, is_said: bool = True) -> str:
    agrees = request.POST.get("decision") == "agree"
    if not agrees and request.POST.get("decision") != "refuse":
        raise MailError(ErrorKind.INVALID, field="decision")
    try:
        decide(approval_id, actor, agrees=agrees, comment=request.POST.get("comment", ""))
    except MailError as error:
        if error.kind is not ErrorKind.IN_USE:
            raise
        said = _("This mail has been decided about already.")
        if is_said:
            messages.warning(request, said)
        return said
    said = _("Approved. The mail is on its way.") if agrees else _("Rejected. The mail is back with its author.")
    if is_said:
        messages.success(request, said)
    return said


def _found(request: HttpRequest, approval_id: int) -> Approval:
    if approval_id > MAX_ID:
        raise MailError(ErrorKind.NOT_FOUND)
    return selectors.approval(actor_of(request), approval_id)


def _mail(found: Approval, shown: dict[str, Any]) -> dict[str, Any]:
    """The text or that there is HTML, and the files; nothing of a mail that is decided about. Its header may name whom `shown`
    does not."""
    if found.state != State.PENDING:
        return {}
    opened = reading.opened(read(selectors.content(found)), entry_id=0, mine=frozenset(), images=False)
    header = Names.of([opened.sender, *opened.to, *opened.cc, *opened.bcc])
    shown["to"] = [face if face.name else header.face(face.address) for face in shown["to"]]
    return {"opened": opened}


def _names(reader: Account, found: Sequence[Approval]) -> Names:
    addresses = [each for it in found for each in (it.sender, it.approver, *_recipients(it))]
    return names_of(reader, access_for(reader, reader.pk), addresses)


def _recipients(it: Approval) -> list[str]:
    """The first of them; the column may have cut the last one off."""
    return [each for each in it.recipients.split(", ") if each]


def _shown(it: Approval, names: Names) -> dict[str, Any]:
    return {
        "id": str(it.pk),
        "sender": names.face(it.sender),
        "to": names.faces(_recipients(it)),
        "more": max(0, it.recipient_count - RECIPIENTS_SHOWN),
        "subject": it.subject,
        "size": it.size_bytes,
        "rule": it.rule_name,
        "sent": _at(it.requested_us),
        "decided": _at(it.decided_us),
        "deadline": scheduling.shown(it.deadline_us) if it.deadline_us else "",
        "passes": it.on_deadline == "pass",
        "approver": names.face(it.approver) if it.approver else None,
        "words": it.get_state_display(),
        "tone": TONES[State(it.state)],
        "comment": it.comment,
        "is_pending": it.state == State.PENDING,
    }


def _at(us: int | None) -> datetime.datetime | None:
    return moment(us) if us else None
