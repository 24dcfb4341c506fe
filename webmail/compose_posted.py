"""The composer's form as it was posted, kept before anything else is done with it."""

from __future__ import annotations

import contextlib

from django.http import HttpRequest, HttpResponse

from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore.selectors import drafts as drafts_read
from mailstore.services import drafts
from mailstore.services.drafts import DraftRow
from webmail import compose_answers, composing
from webmail.forms.compose import ComposeForm


def save_posted(request: HttpRequest, access: Access, draft_id: int) -> DraftRow | HttpResponse:
    """The saved draft, or the answer that says why it could not be saved."""
    form = ComposeForm(request.POST)
    draft = drafts_read.get_draft(access, draft_id)
    if not form.is_valid():
        return compose_answers.invalid(request, access, draft, form)
    content = composing.content_of(form, draft.attachments, identity=draft.identity)
    revision = form.cleaned_data["revision"]
    if "composer" in request.POST and revision == 0:
        revision = draft.revision  # a new composer that never heard that its draft is begun: no other window has it
    try:
        return drafts.save_draft(access, draft_id, revision if revision is not None else draft.revision, content)
    except MailError as error:
        if error.kind is not ErrorKind.IN_USE:
            raise
        current = drafts_read.get_draft(access, draft_id)
        if composing.holds(current, content):
            return current  # the answer to this very save was lost, and it is sent again
        return compose_answers.conflict(request, access, current, content)


def drop_double(request: HttpRequest, access: Access, draft_id: int) -> None:
    """A draft that was begun anew for a mail that has been sent goes, unless another window made something else of it."""
    form = ComposeForm(request.POST)
    with contextlib.suppress(MailError):
        draft = drafts_read.get_draft(access, draft_id)
        if form.is_valid() and composing.holds(
            draft, composing.content_of(form, draft.attachments, identity=draft.identity)
        ):
            drafts.discard_draft(access, draft_id)
