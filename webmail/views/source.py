"""The mail as it came: its header fields and source to look at, its original bytes to keep."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from mailstore.message import read
from mailstore.selectors import entries
from webmail import untrusted, watching
from webmail.http import access_of

MAX_SHOWN_BYTES = 512 * 1024
"""More of a source than this is downloaded, not looked at."""


@login_required
@require_safe
def source(request: HttpRequest, entry_id: int) -> HttpResponse:
    """Header fields and source, with our trace block, as a page."""
    access = access_of(request, entry_id)
    entry = entries.get(access, entry_id)
    watching.note(request, access, entry)
    raw = entries.raw(access, entry_id)
    context = {
        "entry": entry,
        "entry_id": str(entry_id),
        "headers": read(raw).headers,
        "source": raw[:MAX_SHOWN_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd"),
        "is_cut": len(raw) > MAX_SHOWN_BYTES,
        "size": len(raw),
    }
    return render(request, "webmail/message_source.html", context)


@login_required
@require_safe
def original(request: HttpRequest, entry_id: int) -> HttpResponse:
    """The received bytes as an .eml file, exactly as they were sent to us."""
    access = access_of(request, entry_id)
    entry = entries.get(access, entry_id)
    name = entry.subject.strip()[:80] or _("message")
    watching.note(request, access, entry)
    return untrusted.download(entries.original(access, entry_id), filename=f"{name}.eml")
