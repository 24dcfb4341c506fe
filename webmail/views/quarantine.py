"""隔离区 (18.2.4 of the manual): what was put aside for seven days, to be looked at safely, released or thrown away; and the
page behind 放行 in the daily report, which works without signing in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Account
from core.access import Access, Right, system_access
from core.errors import ErrorKind, MailError
from documents.html.text import html_to_text
from mailstore.message import Readable, read
from mta.models import QuarantinedMail
from mta.quarantine.digest import RELEASE, kind_word
from mta.quarantine.selectors import (
    QuarantinedRow,
    gets_digest,
    quarantine_page,
    quarantined,
    quarantined_bytes,
)
from mta.quarantine.services import delete, put_back, release, set_digest
from webmail.http import mailbox_access
from webmail.judgement import reasons_of

PAGE = 50
MAX_CHOSEN = 200
MAX_TEXT_CHARS = 20_000
UNDO_SALT = "webmail.quarantine.undone"
UNDO_S = 3600


@never_cache
@login_required
@require_safe
def quarantine(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Newest first; `before` is the last one of the page before."""
    access = mailbox_access(request, mailbox_id)
    request.current_place = "quarantine"  # type: ignore[attr-defined]
    before = request.GET.get("before", "")
    last = quarantined(access, int(before)) if before.isascii() and before.isdigit() and len(before) < 19 else None
    rows = quarantine_page(access, before=last, limit=PAGE + 1)
    context = {
        "mailbox": mailbox_id,
        "rows": [_shown(row) for row in rows[:PAGE]],
        "older": rows[PAGE - 1].id if len(rows) > PAGE else 0,
        "is_first": last is None,
        "digest": gets_digest(access),
        "may_act": access.may(Right.INSERT | Right.DELETE),
        "may_choose": access.may(Right.MANAGE),
    }
    return render(request, "webmail/quarantine.html", context)


@never_cache
@login_required
@require_safe
def quarantine_mail(request: HttpRequest, mailbox_id: int, mail_id: int) -> HttpResponse:
    """One mail as plain text: no pictures, no links, no files to open."""
    access = mailbox_access(request, mailbox_id)
    request.current_place = "quarantine"  # type: ignore[attr-defined]
    row = quarantined(access, mail_id)
    if row.state != QuarantinedMail.State.HELD:
        raise MailError(ErrorKind.NOT_FOUND)
    context = {
        "mailbox": mailbox_id,
        "mail": _shown(row),
        "reasons": reasons_of(row.judgement),
        "may_act": access.may(Right.INSERT | Right.DELETE),
        **_readable(read(quarantined_bytes(access, mail_id))),
    }
    return render(request, "webmail/quarantine_mail.html", context)


@login_required
@require_POST
def quarantine_act(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """`act` is release, trust (release, and its sender on the white list) or delete; `ids` are the mails. `undo` takes a
    deletion back."""
    access = mailbox_access(request, mailbox_id)
    if "undo" in request.POST:
        _undo(request, access)
        return redirect("quarantine", mailbox_id)
    name = request.POST.get("act", "")
    ids = [int(text) for text in request.POST.getlist("ids") if text.isascii() and text.isdigit() and len(text) < 19]
    if name not in ("release", "trust", "delete"):
        raise MailError(ErrorKind.INVALID, field="act")
    if len(ids) > MAX_CHOSEN:
        raise MailError(ErrorKind.LIMIT, limit=MAX_CHOSEN)
    if ids:
        _act(request, access, name, ids)
    else:
        messages.info(request, _("Choose at least one mail."))
    return redirect("quarantine", mailbox_id)


def _act(request: HttpRequest, access: Access, name: str, ids: list[int]) -> None:
    rows = [quarantined(access, each) for each in ids]
    if name == "delete":
        deleted = {row.id: at_us for row in rows if (at_us := delete(access, row.id))}
        text = ngettext("%d mail deleted", "%d mails deleted", len(deleted)) % len(deleted)
        messages.success(request, text, extra_tags=_undo_tags(access, deleted) if deleted else "")
        return
    wanted = [row for row in rows if row.may_release]
    count = sum(release(access, row.id, trust=name == "trust") for row in wanted)
    messages.success(request, ngettext("%d mail released", "%d mails released", count) % count)
    if len(wanted) < len(rows):
        messages.warning(request, _("Mail with a virus can only be released by the administrator."))


def _undo_tags(access: Access, deleted: dict[int, int]) -> str:
    """For the frame's toast: where Undo posts, and which deletions: the mails, and when."""
    token = signing.dumps([access.mailbox, access.actor, *deleted.items()], salt=UNDO_SALT, compress=True)
    return f"{reverse('quarantine_act', args=[access.mailbox])} {token}"


def _undo(request: HttpRequest, access: Access) -> None:
    """Deleted mail is held again, what of it is still kept."""
    try:
        mailbox, actor, *deleted = signing.loads(request.POST["undo"], salt=UNDO_SALT, max_age=UNDO_S)
    except signing.BadSignature:
        raise MailError(ErrorKind.INVALID, field="undo") from None
    if (mailbox, actor) != (access.mailbox, access.actor):
        raise MailError(ErrorKind.NOT_FOUND)
    count = 0
    for mail_id, at_us in deleted:
        try:
            count += put_back(access, mail_id, deleted_us=at_us)
        except MailError as error:
            if error.kind is not ErrorKind.NOT_FOUND:
                raise
    if count:
        messages.success(request, _("Undone"))
    else:
        messages.warning(request, _("There is nothing to undo any more."))


@login_required
@require_POST
def quarantine_digest(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Turn the daily report on or off."""
    access = mailbox_access(request, mailbox_id)
    wanted = request.POST.get("digest") == "on"
    set_digest(access, wanted=wanted)
    told = _("You get the daily report from now on.") if wanted else _("The daily report is off.")
    messages.success(request, told)
    return redirect("quarantine", mailbox_id)


@never_cache
@csrf_exempt  # the signed link is the proof, and whoever follows it from a mail program has no cookie
@require_http_methods(["GET", "HEAD", "POST"])
def quarantine_link(request: HttpRequest, token: str) -> HttpResponse:
    """放行: GET asks (programs that look at links before people do must change nothing), POST releases, once."""
    mail_id, account_id = RELEASE.read(token)
    account = Account.objects.select_related("domain").filter(pk=account_id, status=Account.Status.ACTIVE).first()
    if account is None:
        raise MailError(ErrorKind.NOT_FOUND)
    access = system_access(account_id)
    row = quarantined(access, mail_id)
    released = False
    if request.method == "POST" and row.state == QuarantinedMail.State.HELD:
        released = release(access, mail_id, trust=request.POST.get("act") == "trust", via="digest")
        row = quarantined(access, mail_id)
    with translation.override(account.language):
        request.LANGUAGE_CODE = account.language  # type: ignore[attr-defined]
        context = {"mail": _shown(row), "state": row.state, "released": released, "account": account}
        return render(request, "webmail/quarantine_link.html", context)


def _shown(row: QuarantinedRow) -> dict[str, Any]:
    reasons = reasons_of(row.judgement)
    return {
        "id": row.id,
        "subject": row.subject or _("(no subject)"),
        "sender": row.sender_name or row.sender_address or row.envelope_from or "?",
        "address": row.sender_address or row.envelope_from,
        "kind": row.kind,
        "kind_word": kind_word(row.kind),
        "size": filesizeformat(row.size),
        "received_at": row.received_at,
        "expires_at": row.expires_at,
        "may_release": row.may_release,
        "why": reasons.lines[0].words if reasons and reasons.lines else "",
    }


def _readable(mail: Readable) -> dict[str, Any]:
    text = mail.text or (html_to_text(mail.html) if mail.html else "")
    return {
        "text": text[:MAX_TEXT_CHARS],
        "is_cut": len(text) > MAX_TEXT_CHARS or mail.is_truncated,
        "files": [(each.filename, filesizeformat(each.size_bytes)) for each in mail.attachments if not each.inline],
        "to": ", ".join(each.address for each in mail.to[:20]),
    }
