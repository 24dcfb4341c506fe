"""What is done to mail from lists and from the pane: one address, one round trip, an Undo where it moves something."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore.fields import mailbox_of
from mailstore.selectors.conversations import conversation_entries
from mailstore.services.entries import Selection
from mailstore.services.selection import Chosen
from webmail.acting import UNDO_SALT, Done, perform, take_back
from webmail.asked import Asked
from webmail.http import access_of, folder_of, forget_read, hides_marked, packed_id, packed_ids, wants_json
from webmail.listing import view_of
from webmail.views.folder import list_after

MAX_IDS = 1_000
UNDO_S = 3600
OF_ROWS = {"star": "star", "unstar": "unstar", "done": "done", "todo": "todo", "unstar_thread": "unstar"}
"""Buttons of rows: each names what it is about as its value."""


@login_required
@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """`act` to `ids`, to the conversations `threads` of `folder_id`, or to the whole of `folder_id` under `filter` (the
    query of a list) when `whole` is set; then back to `next`."""
    if "undo" in request.POST:
        return _answer(request, _undo(request))
    button = next((name for name in OF_ROWS if request.POST.get(name)), "")
    name = OF_ROWS[button] if button else _name(request)
    access, chosen = _of_row(request, button) if button else _selection(request)
    return _answer(request, perform(request, access, chosen, name))


def _name(request: HttpRequest) -> str:
    """The act. Without scripts a menu's button names only its folder or its label."""
    if request.POST.get("new_label", "").strip():
        return "label_new"
    implied = next((name for field, name in (("label", "label"), ("folder", "move")) if request.POST.get(field)), "")
    return request.POST.get("act", "") or implied


def _of_row(request: HttpRequest, button: str) -> tuple[Access, Chosen]:
    if button == "unstar_thread":
        return _conversations(request, [request.POST[button]])
    entry_id = packed_id(request.POST[button])
    return access_of(request, entry_id), [entry_id]


def _selection(request: HttpRequest) -> tuple[Access, Chosen]:
    if request.POST.get("whole"):
        folder_id = packed_id(request.POST.get("folder_id", ""))
        access = access_of(request, folder_id)
        found = folder_of(request, access, folder_id)
        view = view_of(request, access, found, Asked.of(QueryDict(request.POST.get("filter", ""))))
        return access, Selection(folder_id=folder_id, filter=view.filter)
    if request.POST.getlist("threads"):
        return _conversations(request, request.POST.getlist("threads"))
    ids = packed_ids(request.POST.getlist("ids"), limit=MAX_IDS)
    if not ids:
        raise MailError(ErrorKind.INVALID, field="ids")
    if len({mailbox_of(each) for each in ids}) > 1:
        raise MailError(ErrorKind.NOT_FOUND)
    return access_of(request, ids[0]), ids


def _conversations(request: HttpRequest, texts: list[str]) -> tuple[Access, Chosen]:
    """The mails of conversations in a folder, those that its list counts."""
    folder_id = packed_id(request.POST.get("folder_id", ""))
    access = access_of(request, folder_id)
    found = folder_of(request, access, folder_id)
    threads = packed_ids(texts, limit=MAX_IDS)
    unmarked = hides_marked(request, access, found)
    ids = conversation_entries(access, folder_id, threads, unmarked=unmarked)
    if not ids:
        raise MailError(ErrorKind.NOT_FOUND)
    return access, ids


def _undo(request: HttpRequest) -> Done:
    try:
        (mailbox, actor), *undo = signing.loads(request.POST["undo"], salt=UNDO_SALT, max_age=UNDO_S)
    except signing.BadSignature:
        raise MailError(ErrorKind.INVALID, field="undo") from None
    if actor != request.user.pk or not undo:
        raise MailError(ErrorKind.NOT_FOUND)
    first = undo[0][1] if isinstance(undo[0][0], str) else undo[0][0]
    access = access_of(request, first)
    if access.mailbox != mailbox:
        raise MailError(ErrorKind.NOT_FOUND)
    take_back(access, undo)
    return Done(_("Undone"))


def _answer(request: HttpRequest, done: Done) -> HttpResponse:
    if wants_json(request):
        forget_read(request)
        answer: dict[str, Any] = {"toast": done.text, "part": list_after(request, request.POST.get("view", ""))}
        if done.undo:
            answer["undo"] = {"label": _("Undo"), "token": done.undo}
        return JsonResponse(answer)
    if done.text:
        messages.success(request, done.text)
    wanted = request.POST.get("next", "")
    safe = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return redirect(wanted if safe else "home")
