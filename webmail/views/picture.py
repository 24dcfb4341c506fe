"""Pictures in the HTML of a mail: parts of it by Content-ID, and remote ones through our proxy."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from core.errors import MailError
from documents.filetype import content_type_of
from mailstore.message import part, read
from mailstore.models import Role
from mailstore.selectors import entries
from webmail import images, reading, untrusted
from webmail.http import access_of


@login_required
@require_safe
def message_cid(request: HttpRequest, entry_id: int) -> HttpResponse:
    """The picture that the HTML names by `cid:` (RFC 2392)."""
    access = access_of(request, entry_id)
    raw = entries.raw(access, entry_id)
    wanted = request.GET.get("cid", "").strip("<>")
    number = next((each.number for each in read(raw).attachments if wanted and each.content_id == wanted), None)
    if number is None:
        raise Http404
    found = part(raw, number)
    content_type = content_type_of(found.filename, found.content, found.content_type)
    if content_type not in reading.VIEWABLE:
        raise Http404
    return untrusted.picture(found.content, filename=found.filename, content_type=content_type)


@login_required
@require_safe
def message_image(request: HttpRequest, entry_id: int) -> HttpResponse:
    """A remote picture of this mail; the link must have been made by us for it."""
    access = access_of(request, entry_id)
    entry = entries.get(access, entry_id)
    url = reading.picture_source(entry_id, request.GET.get("u", ""), request.GET.get("s", ""))
    if url is None or entry.folder_role == Role.JUNK:
        raise Http404
    try:
        fetched = images.fetch(url)
    except MailError as error:
        return _missing(error)
    return untrusted.picture(fetched.content, filename="", content_type=fetched.content_type)


def _missing(error: MailError) -> HttpResponse:
    """A picture that can't be had is simply not there; the page around it has nothing to say about it."""
    response = HttpResponse(status=404, headers={"X-Reason": error.kind.value})
    response["Cache-Control"] = "private, max-age=60"
    return response
