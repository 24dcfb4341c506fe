"""The files of a mail: one of them, or all of them as a zip."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from documents.filetype import content_type_of
from mailstore.message import Readable, part, parts, read
from mailstore.selectors import entries
from webmail import reading, untrusted, watching
from webmail.http import access_of


@login_required
@require_safe
def attachment(request: HttpRequest, entry_id: int, number: str) -> HttpResponse:
    """A file to download; `?view=1` shows it when its bytes are a raster picture."""
    access = access_of(request, entry_id)
    watching.note(request, access, entries.get(access, entry_id))
    found = part(entries.raw(access, entry_id), number)
    content_type = content_type_of(found.filename, found.content, found.content_type)
    if "view" in request.GET and content_type in reading.VIEWABLE:
        return untrusted.picture(found.content, filename=found.filename, content_type=content_type)
    return untrusted.download(found.content, filename=found.filename, content_type=content_type)


@login_required
@require_safe
def attachments(request: HttpRequest, entry_id: int) -> HttpResponseBase:
    """Every file of the mail in one zip."""
    access = access_of(request, entry_id)
    watching.note(request, access, entries.get(access, entry_id))
    raw = entries.raw(access, entry_id)
    readable = read(raw)
    name = readable.subject.strip()[:60] or _("Attachments")
    return untrusted.archive(_files(raw, readable), filename=f"{name}.zip")


def _files(raw: bytes, readable: Readable) -> Iterator[tuple[str, bytes]]:
    numbers = [each.number for each in readable.attachments if not each.inline or not readable.html]
    for found in parts(raw, numbers):
        yield found.filename, found.content
