"""What the buttons below a mail begin: a reply, a forward, a repetition; and the quick reply, which is sent at once."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from core.access import Access
from core.errors import MailError
from mailstore.services import drafts
from mailstore.services.drafts import DraftRow
from mta.selectors import sent_before
from webmail import compose_answers, compose_page, composing, drafting
from webmail.attempts import digest_of
from webmail.http import access_of, actor_of, packed_id

ANSWERS = frozenset({"reply", "reply_all", "forward", "forward_attached", "edit_as_new", "go_on"})


def answer(request: HttpRequest) -> HttpResponse:
    """A draft with what the button means, open in the composer, or a quick reply on its way."""
    entry_id = packed_id(request.POST.get("source", ""))
    source = access_of(request, entry_id)
    mode = request.POST["mode"]
    if mode == "go_on":
        return redirect("compose", drafts.draft_of_entry(source, entry_id))
    text = request.POST.get("quick", "").strip()
    if text and "send" in request.POST:
        return _quick(request, source, entry_id, text)
    draft = drafting.start_answer(actor_of(request), source, entry_id, mode=mode)
    if text:
        draft = drafting.prepend(access_of(request, draft.id), draft, text)
    return compose_answers.opened(request, draft)


def _quick(request: HttpRequest, source: Access, entry_id: int, text: str) -> HttpResponse:
    """Sent once, however often it is posted: a page that never heard the answer posts the same with the same `attempt`."""
    digest = digest_of(request)
    before = sent_before(drafting.writing_access(actor_of(request), source.mailbox), digest)
    if before is not None:
        return compose_answers.sent(request, before.draft_id, before.submission_id)
    draft = drafting.start_answer(actor_of(request), source, entry_id, mode=request.POST["mode"])
    access = access_of(request, draft.id)
    return _send(request, access, drafting.prepend(access, draft, text), digest)


def _send(request: HttpRequest, access: Access, draft: DraftRow, digest: bytes) -> HttpResponse:
    errors = composing.errors_of(composing.recipients_of(draft), max_recipients=compose_page.max_recipients(access))
    warnings = composing.warnings_of(draft, draft.attachments)
    if errors or warnings:
        return compose_answers.opened(request, draft)
    try:
        submission = drafting.send(access, actor_of(request), draft, digest=digest)
    except MailError as error:
        before = sent_before(access, digest)  # by the other request, meanwhile
        if before is None:
            return compose_answers.failed_quick(request, access, draft, error)
        drafts.discard_draft(access, draft.id)
        return compose_answers.sent(request, before.draft_id, before.submission_id)
    return compose_answers.sent(request, draft.id, submission)
