"""Files of a draft: upload, look at, remove."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.access import Access
from core.errors import ErrorKind, MailError
from documents.filetype import content_type_of, safe_filename
from mailstore.selectors import drafts as drafts_read
from mailstore.services import drafts
from mailstore.services.drafts import AttachmentRow, DraftRow
from webmail import compose_answers, compose_page, reading, untrusted
from webmail.compose_posted import save_posted
from webmail.http import access_of, wants_json

MAX_FILES = 200


@login_required
@require_POST
def compose_attach(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Add the posted files; `inline=1` for a picture of the text. JSON: the file's id, address and card."""
    access = access_of(request, draft_id)
    draft = _draft(request, access, draft_id)
    if isinstance(draft, HttpResponse):
        return draft
    files = request.FILES.getlist("file")
    refusal = _refusal(access, draft, files)
    if refusal:
        return _refuse(request, access, draft, refusal)
    added = [_attach(access, draft_id, each, inline="inline" in request.POST) for each in files]
    if wants_json(request):
        return _uploaded(request, draft_id, added[-1])
    return compose_answers.opened(request, draft)


@login_required
@require_safe
def compose_file(request: HttpRequest, draft_id: int, file_id: int) -> HttpResponse:
    """A file of a draft: raster pictures are shown, everything else is downloaded."""
    access = access_of(request, draft_id)
    row = _file(drafts_read.get_draft(access, draft_id), file_id)
    content = drafts_read.attachment_bytes(access, file_id)
    content_type = content_type_of(row.filename, content, row.content_type)
    if content_type in reading.VIEWABLE:
        return untrusted.picture(content, filename=row.filename, content_type=content_type)
    return untrusted.download(content, filename=row.filename, content_type=content_type)


@login_required
@require_POST
def compose_detach(request: HttpRequest, draft_id: int, file_id: int) -> HttpResponse:
    """Take a file out of a draft."""
    access = access_of(request, draft_id)
    draft = _draft(request, access, draft_id)
    if isinstance(draft, HttpResponse):
        return draft
    drafts.detach(access, _file(draft, file_id).id)
    if wants_json(request):
        return JsonResponse({"id": str(file_id)})
    return compose_answers.opened(request, draft)


def _draft(request: HttpRequest, access: Access, draft_id: int) -> DraftRow | HttpResponse:
    """The draft; a browser without scripts posts its text along with a file, and the text is kept first."""
    if wants_json(request) or "revision" not in request.POST:
        return drafts_read.get_draft(access, draft_id)
    return save_posted(request, access, draft_id)


def _attach(access: Access, draft_id: int, file: UploadedFile[Any], *, inline: bool) -> AttachmentRow:
    content = file.read()
    filename = safe_filename(file.name or "file")
    content_type = content_type_of(filename, content, file.content_type or "")
    is_picture = inline and content_type in reading.VIEWABLE
    content_id = f"{secrets.token_hex(12)}@picture" if is_picture else ""
    return drafts.attach(access, draft_id, filename, content_type, content, content_id=content_id, inline=is_picture)


def _refusal(access: Access, draft: DraftRow, files: list[UploadedFile[Any]]) -> str:
    """Why these files can't be added, or nothing."""
    limit = compose_page.limit_bytes(access)
    used = sum(each.size for each in draft.attachments)
    if not files:
        return _("No file was chosen.")
    if len(draft.attachments) + len(files) > MAX_FILES:
        return _("A mail may have at most %d files.") % MAX_FILES
    # base64 makes a file four thirds as long (RFC 2045 6.8), and the limit is for the whole mail.
    if (used + sum(each.size or 0 for each in files)) * 4 / 3 > limit:
        return _("Too large: a mail may have at most %s with its files") % f"{limit // (1024 * 1024)} MB"
    return ""


def _refuse(request: HttpRequest, access: Access, draft: DraftRow, text: str) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"error": text}, status=422)
    return compose_answers.page(request, access, draft, errors=[text], status_code=422)


def _uploaded(request: HttpRequest, draft_id: int, row: AttachmentRow) -> HttpResponse:
    card = compose_page.file_card(draft_id, row)
    html = render_to_string("webmail/compose_file.html", {"file": card}, request)
    return JsonResponse({"id": card.id, "url": card.url, "html": html})


def _file(draft: DraftRow, file_id: int) -> AttachmentRow:
    for each in draft.attachments:
        if each.id == file_id:
            return each
    raise MailError(ErrorKind.NOT_FOUND)
