"""What the composer's addresses answer: a page or redirect for a plain browser, JSON for the composer's script."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.templatetags.static import static
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext as _

from accounts.selectors import identities_of
from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore.services.drafts import DraftContent, DraftRow
from mta.models import Delivery
from mta.selectors import gate_of
from mta.services import take_back
from mta.services.gates import Gate
from webmail import compose_page, composing, drafting, scheduling
from webmail.composing import Caution
from webmail.forms.compose import ComposeForm
from webmail.http import actor_of, is_pane, wants_json

EDITOR_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; frame-src 'self' blob:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
"""An editor sets styles, so it lives in a frame with this policy; scripts are still only our own files."""


RATES = frozenset({"hourly_recipients", "daily_recipients", "daily_strangers", "pool_strangers"})
UNDO_GATED_S = 10
"""How long the toast offers Undo for mail that waits longer anyway."""


def following(request: HttpRequest) -> str:
    """Where to go when the composer closes: a path of ours, the inbox otherwise."""
    wanted = request.POST.get("next") or request.GET.get("next") or _shown_before(request)
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/")
    return wanted if safe else reverse("inbox")


def _shown_before(request: HttpRequest) -> str:
    """The path of the page that a script of ours asks from."""
    url = urlsplit(request.headers.get("HX-Current-URL", ""))
    return "" if url.path.startswith(reverse("compose_new")) else url.path


def page(request: HttpRequest, access: Access, draft: DraftRow, **extra: Any) -> HttpResponse:
    """The composer with a draft."""
    fields = compose_page.fields_of(draft, following=following(request))
    fields.update(extra.pop("fields", {}))
    context = {
        "draft_id": str(draft.id),
        "files": [compose_page.file_card(draft.id, each) for each in draft.attachments if not each.is_inline],
        "title": compose_page.title_of(draft.mode),
        "touched": draft.revision > 1,
        "form": fields,
        **extra,
    }
    return _render(request, access, draft.id, context)


def blank(request: HttpRequest) -> HttpResponse:
    """The composer without a draft. `?to=a@b&subject=…&body=…` fill it (RFC 6068)."""
    actor = actor_of(request)
    access = drafting.writing_access(actor, actor.pk)
    given = {name: request.GET.get(name, "")[:20_000] for name in ("to", "cc", "bcc", "subject")}
    fields = {
        **given,
        "revision": 0,
        "composer": secrets.token_hex(8),
        "identity": drafting.mine(actor, access.mailbox).default,
        "format": "html",
        "html": composing.typed_html(request.GET.get("body", "")[:100_000]),
        "text": request.GET.get("body", "")[:100_000],
        "next": following(request),
        **composing.default_options(access.mailbox),
    }
    return _render(
        request, access, None, {"draft_id": "", "files": [], "title": compose_page.title_of("new"), "form": fields}
    )


def opened(request: HttpRequest, draft: DraftRow) -> HttpResponse:
    """Go to a draft that was just made."""
    url = f"{reverse('compose', args=[draft.id])}?{urlencode({'next': following(request)})}"
    return JsonResponse({"open": url}) if wants_json(request) else redirect(url)


def saved(request: HttpRequest, draft: DraftRow, *, close: bool) -> HttpResponse:
    """A draft was saved."""
    if not wants_json(request):
        messages.success(request, _("Saved in Drafts"))
        return redirect(following(request)) if close else opened(request, draft)
    urls = compose_page.urls(draft.id)
    return JsonResponse(
        {
            "id": str(draft.id),
            "revision": draft.revision,
            "saved_at": compose_page.saved_at(draft.updated_us),
            "url": urls["url"],
            "urls": {"url" if name == "url" else f"{name}Url": address for name, address in urls.items()},
        }
    )


def sent(request: HttpRequest, draft_id: int, submission: int) -> HttpResponse:
    """A mail is on its way, or held for a while so that it can be taken back."""
    gate = gate_of(submission)
    said = _said(gate)
    if not wants_json(request):
        messages.success(request, said)
        return redirect(following(request))
    answer: dict[str, Any] = {"next": following(request), "toast": said}
    if gate is not None:
        url = reverse("compose_undo", args=[draft_id, submission])
        seconds = settings.UNDO_SEND_S if gate.state == Delivery.State.HELD else UNDO_GATED_S
        answer["undo"] = {"label": _("Undo"), "url": url, "seconds": seconds}
    return JsonResponse(answer)


def _said(gate: Gate | None) -> str:
    """What became of it, in a line."""
    if gate is None or gate.state == Delivery.State.HELD:
        return _("Sent")
    if gate.state == Delivery.State.SCHEDULED:
        return _("Will be sent %(at)s") % {"at": scheduling.shown(gate.until_us)}
    return _("Sent for approval")


def undone(request: HttpRequest, access: Access, draft_id: int, submission: int) -> HttpResponse:
    """A held mail was taken back, or it was too late."""
    try:
        draft_id = take_back(access, submission)
    except MailError as error:
        if error.kind is not ErrorKind.IN_USE:
            raise
        return JsonResponse({"error": _("Too late: the mail has been sent.")}, status=409)
    return JsonResponse({"next": reverse("compose", args=[draft_id])})


def discarded(request: HttpRequest) -> HttpResponse:
    """A draft is gone."""
    if wants_json(request):
        return JsonResponse({"next": following(request)})
    messages.success(request, _("Draft discarded"))
    return redirect(following(request))


def refused(
    request: HttpRequest,
    access: Access,
    draft: DraftRow,
    *,
    errors: Sequence[tuple[str, str]],
    warnings: Sequence[Caution],
) -> HttpResponse:
    """Not sent: something is missing, or should be looked at first."""
    if wants_json(request):
        answer: dict[str, Any] = {"revision": draft.revision}
        if errors:
            answer |= {"errors": [text for _field, text in errors[:10]], "field": errors[0][0]}
        else:
            answer["warnings"] = [{"name": each.name, "text": each.text} for each in warnings]
        return JsonResponse(answer, status=422)
    confirm = ",".join(each.name for each in warnings)
    texts = [text for _field, text in errors[:10]]
    return page(request, access, draft, errors=texts, warnings=warnings, confirm=confirm, status_code=422)


def failed(request: HttpRequest, access: Access, draft: DraftRow, error: MailError) -> HttpResponse:
    """Not sent: the service refused. The draft is as it was."""
    return refused(request, access, draft, errors=[("to", sentence(error))], warnings=[])


def failed_quick(request: HttpRequest, access: Access, draft: DraftRow, error: MailError) -> HttpResponse:
    """A quick reply was refused: its draft opens in the composer, and why is said."""
    if not wants_json(request):
        return failed(request, access, draft, error)
    url = f"{reverse('compose', args=[draft.id])}?{urlencode({'next': following(request)})}"
    return JsonResponse({"open": url, "error": sentence(error)})


def invalid(request: HttpRequest, access: Access, draft: DraftRow, form: ComposeForm) -> HttpResponse:
    """Not saved: a field is longer than a mail may be. What was typed stays in the page."""
    text = _("Not saved: the mail is too long. Shorten the text or the recipients.")
    if wants_json(request):
        return JsonResponse({"error": text, "errors": [text]}, status=422)
    return page(request, access, draft, errors=[text], fields=_typed(form), status_code=422)


def conflict(request: HttpRequest, access: Access, draft: DraftRow, content: DraftContent) -> HttpResponse:
    """Not saved: another window has saved since. Sending the same again with the new revision overwrites it."""
    if wants_json(request):
        at = compose_page.saved_at(draft.updated_us)
        return JsonResponse({"revision": draft.revision, "saved_at": at}, status=409)
    text = _("This draft was changed in another window meanwhile. Save again to keep the text below.")
    fields = {
        "to": content.to,
        "cc": content.cc,
        "bcc": content.bcc,
        "subject": content.subject,
        "html": composing.for_editor(content.html, draft.id, draft.attachments),
        "text": content.text,
    }
    return page(request, access, draft, errors=[text], fields=fields, status_code=409)


def editor(request: HttpRequest) -> HttpResponse:
    """The editor's page."""
    is_dark = request.GET.get("theme") == "dark"
    is_chinese = (get_language() or "").startswith("zh")
    base = static("vendor/hugerte/hugerte.min.js").rpartition("/")[0]
    context = {
        "language": get_language(),
        "theme": "dark" if is_dark else "light",
        "base": base,
        "skin": static(f"vendor/hugerte/skins/ui/oxide{'-dark' if is_dark else ''}/skin.min.css").rpartition("/")[0],
        "content": static(f"css/editor_content{'_dark' if is_dark else ''}.css"),
        "editor_language": "zh-Hans" if is_chinese else "",
        "language_url": static("vendor/hugerte/langs/zh-Hans.js") if is_chinese else "",
        "texts": {
            "smaller": _("Smaller"),
            "larger": _("Larger"),
            "plain": _("Plain text"),
            "failed": _("The picture could not be uploaded."),
        },
    }
    response = render(request, "webmail/compose_editor.html", context)
    response["Content-Security-Policy"] = EDITOR_POLICY
    response["Cache-Control"] = "private, max-age=600"
    return response


def sentence(error: MailError) -> str:
    """Why a mail was not sent, for people."""
    limit = error.data.get("limit_bytes") or error.data.get("limit") or 0
    if error.data.get("part") == "outside":
        return _("You may not write to people outside: %s") % error.data.get("address", "")
    if error.data.get("part") == "members":
        return _("You may not write to people outside, and this list has members there: %s") % error.data.get(
            "address", ""
        )
    if error.data.get("part") == "attachment":
        return _("An attachment may have at most %s.") % filesizeformat(int(str(limit)))
    field = error.data.get("field")
    if field == "attachment":
        name = error.data.get("name", "")
        return _("Your company does not let files of this type out: %s") % name
    if field == "virus":
        return _("A virus was found in this mail, so it was not sent: %s") % error.data.get("name", "")
    if field == "scanner":
        return _("The virus scanner does not answer. Try again later; the mail is kept as a draft.")
    if field == "individual":
        return _("A mail of this size can be sent individually to at most %s colleagues.") % limit
    if field == "merging":
        words = _("{{name}} can't be replaced for %s, who has no name here. Write: Name <address>")
        return words % error.data.get("address", "")
    if field == "stopped":
        return _("Sending is stopped for this account. Ask your administrator.")
    if field in RATES:
        return _("That is more mail than may be sent in this time (%s recipients). Try again later.") % limit
    sentences = {
        ErrorKind.TOO_LARGE: _("The mail is too large with its attachments. Remove some of them."),
        ErrorKind.LIMIT: _("A mail may have at most %s recipients.") % limit,
        ErrorKind.NO_PERMISSION: _("You may not send from this address."),
        ErrorKind.OVER_QUOTA: _("Your mailbox is full. Make room, or send without saving to Sent."),
        ErrorKind.IN_USE: _("This mail is on its way already; see Outbox."),
        ErrorKind.INVALID: _("An address is not valid: %s") % error.data.get("address", ""),
    }
    return sentences.get(error.kind, _("The mail could not be sent. It is kept as a draft."))


def _render(request: HttpRequest, access: Access, draft_id: int | None, context: dict[str, Any]) -> HttpResponse:
    limit = compose_page.limit_bytes(access)
    status = context.pop("status_code", 200)
    full = {
        "urls": compose_page.urls(draft_id),
        "identities": identities_of(actor_of(request), access.mailbox),
        "limit": limit,
        "is_page": True,
        "schedule": {"presets": scheduling.presets(), "bounds": scheduling.bounds(), "zone": scheduling.zone_name()},
        "texts": compose_page.texts(limit_bytes=limit),
        **context,
    }
    template = "webmail/compose_pane.html" if is_pane(request) else "webmail/compose.html"
    return render(request, template, full, status=status)


def _typed(form: ComposeForm) -> dict[str, Any]:
    names = ("to", "cc", "bcc", "subject", "html", "text")
    return {name: form.data.get(name, "")[:4_000_000] for name in names}
