"""What is done to mail from lists and from the pane: one address, one round trip, an Undo where it moves something."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_POST

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore.fields import mailbox_of
from mailstore.models import Flag, Role
from mailstore.selectors.folders import folder, folder_by_role
from mailstore.selectors.lists import ALL
from mailstore.services import entries, folders
from mailstore.services.entries import Moved, Selection
from mailstore.services.selection import Chosen
from webmail.context import folder_name
from webmail.http import access_of, packed_id, packed_ids, wants_json
from webmail.listing import FILTERS_BY_NAME
from webmail.views.folder import list_after

MAX_IDS = 1_000
MAX_UNDO = 1_000
"""Moves that one Undo takes back; the token travels in the answer."""
UNDO_SALT = "webmail.undo"
UNDO_S = 3600


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    """What to tell: a line, and how to take it back."""

    text: str
    undo: str = ""


@login_required
@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """`act` to `ids`, or to the whole of `folder_id` under `show` when `whole` is set; then back to `next`."""
    if "undo" in request.POST:
        return _answer(request, _undo(request))
    name, star = _name(request)
    access, selection = _selection(request, star)
    if name == "move":
        done = _move(request, access, selection)
    elif name == "recover":
        done = _recover(request, access, selection)
    elif name in ACTS:
        done = ACTS[name](access, selection)
    else:
        raise MailError(ErrorKind.INVALID, field="act")
    return _answer(request, done)


def _name(request: HttpRequest) -> tuple[str, str]:
    """The act; a row's star names its own entry as the button's value."""
    for name in ("star", "unstar"):
        if request.POST.get(name):
            return name, request.POST[name]
    return request.POST.get("act", ""), ""


def _selection(request: HttpRequest, star: str) -> tuple[Access, Chosen]:
    if star:
        entry_id = packed_id(star)
        return access_of(request, entry_id), [entry_id]
    if request.POST.get("whole"):
        folder_id = packed_id(request.POST.get("folder_id", ""))
        chosen = FILTERS_BY_NAME.get(request.POST.get("show", ""), ALL)
        return access_of(request, folder_id), Selection(folder_id=folder_id, filter=chosen)
    ids = packed_ids(request.POST.getlist("ids"), limit=MAX_IDS)
    if not ids:
        raise MailError(ErrorKind.INVALID, field="ids")
    if len({mailbox_of(each) for each in ids}) > 1:
        raise MailError(ErrorKind.NOT_FOUND)
    return access_of(request, ids[0]), ids


def _flag(add: Flag, remove: Flag) -> Callable[[Access, Chosen], Done]:
    def act(access: Access, selection: Chosen) -> Done:
        count = len(entries.set_flags(access, selection, add=add, remove=remove).entry_ids)
        return Done(ngettext("%d mail changed", "%d mails changed", count) % count if count > 1 else "")

    return act


def _delete(access: Access, selection: Chosen) -> Done:
    moved = entries.delete(access, selection)
    if moved.purged and not moved.undo:
        text = ngettext("%d mail deleted for good", "%d mails deleted for good", moved.purged) % moved.purged
        return Done(text)
    return _moved(access, moved, folder_name(Role.TRASH, ""))


def _to(role: Role) -> Callable[[Access, Chosen], Done]:
    def act(access: Access, selection: Chosen) -> Done:
        target = folder_by_role(access, role)
        return _moved(access, entries.move(access, selection, folder_id=target.id), folder_name(role, ""))

    return act


def _empty(access: Access, selection: Chosen) -> Done:
    if not isinstance(selection, Selection) or selection.folder_id is None:
        raise MailError(ErrorKind.INVALID, field="whole")
    count = folders.empty_folder(access, selection.folder_id)
    return Done(ngettext("%d mail deleted for good", "%d mails deleted for good", count) % count)


ACTS: dict[str, Callable[[Access, Chosen], Done]] = {
    "read": _flag(Flag.SEEN, Flag(0)),
    "unread": _flag(Flag(0), Flag.SEEN),
    "star": _flag(Flag.FLAGGED, Flag(0)),
    "unstar": _flag(Flag(0), Flag.FLAGGED),
    "delete": _delete,
    "junk": _to(Role.JUNK),
    "not_junk": _to(Role.INBOX),
    "empty": _empty,
}


def _move(request: HttpRequest, access: Access, selection: Chosen) -> Done:
    target = folder(access, packed_id(request.POST.get("folder", "")))
    return _moved(access, entries.move(access, selection, folder_id=target.id), folder_name(target.role, target.name))


def _recover(request: HttpRequest, access: Access, selection: Chosen) -> Done:
    if isinstance(selection, Selection):
        raise MailError(ErrorKind.INVALID, field="ids")
    target = folder(access, packed_id(request.POST.get("folder", "")))
    recovered = entries.recover(access, selection, folder_id=target.id)
    count = len(recovered.undo)
    text = ngettext("%(n)d mail restored to “%(folder)s”", "%(n)d mails restored to “%(folder)s”", count) % {
        "n": count,
        "folder": folder_name(target.role, target.name),
    }
    return Done(text, _token(access, recovered.undo) if access.may(Right.DELETE) else "")


def _moved(access: Access, moved: Moved, name: str) -> Done:
    count = len(moved.undo) + moved.purged
    text = ngettext("%(n)d mail moved to “%(folder)s”", "%(n)d mails moved to “%(folder)s”", count) % {
        "n": count,
        "folder": name,
    }
    if not moved.undo or len(moved.undo) > MAX_UNDO:
        return Done(text)
    return Done(text, _token(access, moved.undo))


def _token(access: Access, undo: Sequence[tuple[int, ...]]) -> str:
    """What Undo sends back: pairs for a move, triples for a recovery."""
    return signing.dumps([[access.mailbox, access.actor], *undo], salt=UNDO_SALT, compress=True)


def _undo(request: HttpRequest) -> Done:
    try:
        (mailbox, actor), *undo = signing.loads(request.POST["undo"], salt=UNDO_SALT, max_age=UNDO_S)
    except signing.BadSignature:
        raise MailError(ErrorKind.INVALID, field="undo") from None
    if actor != request.user.pk or not undo:
        raise MailError(ErrorKind.NOT_FOUND)
    access = access_of(request, undo[0][0])
    if access.mailbox != mailbox:
        raise MailError(ErrorKind.NOT_FOUND)
    if len(undo[0]) == 3:
        entries.unrecover(access, [(entry, came_from, deleted_us) for entry, came_from, deleted_us in undo])
    else:
        entries.move_back(access, [(entry, came_from) for entry, came_from in undo])
    return Done(_("Undone"))


def _answer(request: HttpRequest, done: Done) -> HttpResponse:
    if wants_json(request):
        answer: dict[str, Any] = {"toast": done.text, "part": list_after(request, request.POST.get("view", ""))}
        if done.undo:
            answer["undo"] = {"label": _("Undo"), "token": done.undo}
        return JsonResponse(answer)
    if done.text:
        messages.success(request, done.text)
    wanted = request.POST.get("next", "")
    safe = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return redirect(wanted if safe else "home")
