"""The HTML of a mail, alone at its own address, for the frame in the reading pane.

The frame is `sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"`, and this answer says the same
for whoever opens the address by itself. Without `allow-scripts` nothing of the mail can run, so the own origin gives
it no power; it lets the page around measure the height, and lets pictures from our own addresses carry the session,
which an opaque origin would not. Forms and top navigation stay forbidden, and nothing loads but our own pictures.
"""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from mailstore.message import read
from mailstore.selectors import entries
from webmail import images, reading, watching
from webmail.http import access_of

SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"
POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
    f"frame-ancestors 'self'; sandbox {SANDBOX}"
)


@login_required
@require_safe
def message_body(request: HttpRequest, entry_id: int) -> HttpResponse:
    """The cleaned HTML; `?images=1` shows remote pictures once."""
    access = access_of(request, entry_id)
    entry = entries.get(access, entry_id)
    watching.note(request, access, entry)
    readable = read(entries.raw(access, entry_id))
    shown = images.shown(access, entry, readable, asked="images" in request.GET)
    return _shown(request, reading.sheet(readable, entry_id=entry_id, images=shown))


def shown_sheet(request: HttpRequest, raw: bytes) -> HttpResponse:
    """The cleaned HTML of a mail that lies in no folder, without remote pictures."""
    return _shown(request, reading.sheet(read(raw), entry_id=0, images=False))


def _shown(request: HttpRequest, sheet: reading.Sheet) -> HttpResponse:
    response = render(request, "webmail/message_body.html", {"sheet": sheet})
    response["Content-Security-Policy"] = POLICY
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "private, no-cache"
    return response
