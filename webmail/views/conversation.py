"""A conversation in the reading pane: its mails stacked, acts on those that it has in this folder."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from mailstore.selectors.conversations import conversation_row
from webmail import message_page
from webmail.asked import Asked
from webmail.http import access_of, folder_of, is_pane
from webmail.views.folder import folder_context


@login_required
@require_safe
def conversation(request: HttpRequest, folder_id: int, thread_id: int) -> HttpResponse:
    """`thread_id` in a folder where it has mail; 404 elsewhere."""
    access = access_of(request, folder_id)
    folder = folder_of(request, access, folder_id)
    row = conversation_row(access, folder_id, thread_id)
    request.current_folder = folder_id  # type: ignore[attr-defined]
    context = message_page.conversation_context(request, access, folder, row)
    if is_pane(request):
        return render(request, "webmail/message_pane.html", context)
    beside = folder_context(request, folder_id, Asked(), thread=thread_id)
    return render(request, "webmail/message.html", beside | context)
