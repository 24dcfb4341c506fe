"""The reading pane: one mail of a conversation unfolded, the others as one-line rows above and below it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from mailstore.models import Role
from mailstore.selectors import drafts, entries
from mta.selectors import is_waiting
from webmail import images, message_page
from webmail.asked import Asked
from webmail.http import access_of, is_fragment, is_pane
from webmail.views.folder import folder_context


@login_required
@require_safe
def message(request: HttpRequest, folder_id: int, entry_id: int) -> HttpResponse:
    """A mail in its folder; `?images=1` shows its remote pictures. A draft opens in the composer, unless it has been sent
    and can still be had back; a mail that has moved is followed to where it is. A script may ask for the unfolded mail
    alone (`letter`).
    """
    access = access_of(request, entry_id)
    entry = entries.get(access, entry_id)
    if entry.folder_id != folder_id:
        return redirect("message", entry.folder_id, entry_id)
    if entry.folder_role == Role.DRAFTS:
        draft_id = drafts.draft_with_snapshot(access, entry_id)
        if draft_id is not None and not is_waiting(access, draft_id):
            return redirect("compose", draft_id)
    request.current_folder = folder_id  # type: ignore[attr-defined]
    letter = message_page.unfolded(request, access, entry, asked="images" in request.GET)
    if is_fragment(request, "letter"):
        return render(request, "webmail/letter.html", {"letter": letter, "is_stacked": True})
    context = message_page.context(request, access, entry, letter)
    if is_pane(request):
        return render(request, "webmail/message_pane.html", context)
    beside = folder_context(request, folder_id, Asked(), current=entry_id, thread=entry.thread_id)
    return render(request, "webmail/message.html", beside | context)


@login_required
@require_POST
def trust_images(request: HttpRequest, entry_id: int) -> HttpResponse:
    """Always show remote pictures of this mail's sender."""
    access = access_of(request, entry_id)
    entry = entries.get(access, entry_id)
    images.trust(access.actor, entry.sender_address)
    return redirect("message", entry.folder_id, entry_id)
