"""The composer: open, save, send, discard. Each answers a browser without scripts with a page, ours with JSON.

Opening an empty composer writes nothing; its first save makes the draft. Whatever goes wrong, the answer keeps
the text that was posted.
"""

from __future__ import annotations

import contextlib

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.access import Access
from core.errors import MailError
from mailstore.selectors import drafts as drafts_read
from mailstore.services import drafts
from mailstore.services.drafts import DraftRow
from mta.selectors import is_waiting, sent_before
from mta.services.submit import SCHEDULE_MAX_DAYS
from webmail import compose_answers, compose_page, composing, drafting, scheduling
from webmail.attempts import digest_of
from webmail.compose_posted import drop_double, save_posted
from webmail.http import access_of, actor_of
from webmail.views import compose_files
from webmail.views.compose_answer import ANSWERS, answer

COMPOSERS_KEPT = 20
MAX_COMPOSER_CHARS = 32


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def compose_new(request: HttpRequest) -> HttpResponse:
    """GET: an empty composer (`?to=`, `subject`, `body` as in RFC 6068). POST: make a draft and go on with it."""
    if request.method != "POST":
        return compose_answers.blank(request)
    if request.POST.get("mode") in ANSWERS:
        return answer(request)
    then = request.GET.get("then", "")
    if then == "send":
        actor = actor_of(request)
        before = sent_before(drafting.writing_access(actor, actor.pk), digest_of(request))
        if before is not None:
            return compose_answers.sent(request, before.draft_id, before.submission_id)
    draft = _begun(request)
    step = {"send": compose_send, "attach": compose_files.compose_attach, "discard": compose_discard}
    view = step.get(then, compose_save)
    return view(request, draft.id)


@login_required
@require_safe
def compose(request: HttpRequest, draft_id: int) -> HttpResponse:
    """The composer with a draft."""
    access = access_of(request, draft_id)
    if is_waiting(access, draft_id):
        return redirect("outbox", access.mailbox)
    return compose_answers.page(request, access, drafts_read.get_draft(access, draft_id))


@login_required
@require_POST
def compose_save(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Keep what is posted; with `close` also bring the copy in 草稿箱 up to date."""
    access = access_of(request, draft_id)
    saved = save_posted(request, access, draft_id)
    if isinstance(saved, HttpResponse):
        return saved
    close = "close" in request.POST
    drafting.snapshot(access, actor_of(request), saved, close=close)
    return compose_answers.saved(request, saved, close=close)


@login_required
@require_POST
def compose_send(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Save, check, send. Errors and unconfirmed warnings are 422 and leave the draft as it is. A page that never heard the
    answer posts the same mail with the same `attempt`: it is sent once and answered alike."""
    access = access_of(request, draft_id)
    digest = digest_of(request)
    before = sent_before(access, digest)
    if before is None:
        try:
            return _send(request, access, draft_id, digest)
        except MailError:
            before = sent_before(access, digest)  # by the other request, meanwhile
            if before is None:
                raise
    if before.draft_id != draft_id:
        drop_double(request, access, draft_id)
    return compose_answers.sent(request, before.draft_id, before.submission_id)


def _send(request: HttpRequest, access: Access, draft_id: int, digest: bytes) -> HttpResponse:
    draft = save_posted(request, access, draft_id)
    if isinstance(draft, HttpResponse):
        return draft
    schedule_us, wrong = _schedule(request)
    errors = composing.errors_of(composing.recipients_of(draft), max_recipients=compose_page.max_recipients(access))
    errors += wrong
    confirmed = set(request.POST.get("confirmed", "").split(","))
    warnings = [each for each in composing.warnings_of(draft, draft.attachments) if each.name not in confirmed]
    if errors or warnings:
        return compose_answers.refused(request, access, draft, errors=errors, warnings=[] if errors else warnings)
    try:
        submission = drafting.send(access, actor_of(request), draft, schedule_us=schedule_us, digest=digest)
    except MailError as error:
        if sent_before(access, digest) is not None:
            raise
        return compose_answers.failed(request, access, draft, error)
    return compose_answers.sent(request, draft.id, submission)


def _schedule(request: HttpRequest) -> tuple[int, list[tuple[str, str]]]:
    """When to send (0: now), and what is wrong with the time. `scheduled` is a time, or `chosen` for that of the field."""
    wanted = request.POST.get("scheduled", "")
    if not wanted:
        return 0, []
    at_us = scheduling.at_us(request.POST.get("schedule_at", "") if wanted == "chosen" else wanted)
    earliest, latest = scheduling.limits_us()
    if at_us is None or not earliest < at_us <= latest:
        return 0, [("schedule_at", _("Choose a time within the next %(days)d days.") % {"days": SCHEDULE_MAX_DAYS})]
    return at_us, []


@login_required
@require_POST
def compose_discard(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Throw a draft away, its copy in 草稿箱 included."""
    access = access_of(request, draft_id)
    drafts.discard_draft(access, draft_id)
    return compose_answers.discarded(request)


@login_required
@require_POST
def compose_undo(request: HttpRequest, draft_id: int, submission_id: int) -> HttpResponse:
    """Take back a mail that is still held; its draft opens again."""
    access = access_of(request, draft_id)
    return compose_answers.undone(request, access, draft_id, submission_id)


@login_required
@require_safe
def compose_editor(request: HttpRequest) -> HttpResponse:
    """The editor's page, for the frame in the composer, under the policy that an editor needs."""
    return compose_answers.editor(request)


def _begun(request: HttpRequest) -> DraftRow:
    """A new draft, once for each composer: a browser that never saw the answer posts again after a reload."""
    composer = request.POST.get("composer", "")[:MAX_COMPOSER_CHARS]
    begun: dict[str, int] = request.session.get("composers", {})
    if composer in begun:
        with contextlib.suppress(MailError):
            return drafts_read.get_draft(access_of(request, begun[composer]), begun[composer])
    draft = drafting.start_blank(actor_of(request), actor_of(request).pk)
    if composer:
        kept = list(begun.items())[-COMPOSERS_KEPT + 1 :]
        request.session["composers"] = dict([*kept, (composer, draft.id)])
    return draft
