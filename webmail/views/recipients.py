"""Completion and parsing for the composer's recipient fields."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Account
from accounts.selectors import complete as complete_colleagues, is_local_domain, resolve
from mailstore.message import Address, Invalid, parse_address_list
from mailstore.selectors import correspondents
from webmail import composing, drafting
from webmail.forms.compose import MAX_LIST_CHARS
from webmail.http import actor_of
from webmail.people import Face

MAX_FOUND = 8
MAX_CHECKED = 100
"""Local addresses looked up in one paste; the rest is checked when the mail is sent."""


@login_required
@require_safe
def compose_complete(request: HttpRequest) -> HttpResponse:
    """People whose name, pinyin or address matches `q`: those written with first, then colleagues."""
    actor = actor_of(request)
    prefix = request.GET.get("q", "").strip()[:80]
    found = _found(actor, prefix) if prefix else {}
    return JsonResponse({"people": list(found.values())[:MAX_FOUND]})


@login_required
@require_POST
def compose_recipients(request: HttpRequest) -> HttpResponse:
    """The addresses in typed or pasted text; what can't be written to comes with the reason."""
    parsed = parse_address_list(request.POST.get("text", "")[:MAX_LIST_CHARS])
    local_left = MAX_CHECKED
    people = []
    for each in parsed:
        is_local = isinstance(each, Address) and is_local_domain(each.address.rpartition("@")[2])
        people.append(_person(each, check=is_local and local_left > 0))
        local_left -= is_local
    return JsonResponse({"people": people})


def _found(actor: Account, prefix: str) -> dict[str, dict[str, Any]]:
    access = drafting.writing_access(actor, actor.pk)
    found: dict[str, dict[str, Any]] = {}
    for each in correspondents.complete(access, prefix, MAX_FOUND):
        found.setdefault(each.address.lower(), _option(Face(each.name, each.address), ""))
    for colleague in complete_colleagues(actor.domain_id, prefix, MAX_FOUND):
        detail = _("Company")
        known = found.setdefault(colleague.address.lower(), _option(Face(colleague.name, colleague.address), detail))
        known["detail"] = known["detail"] or detail
    return found


def _option(face: Face, detail: str) -> dict[str, Any]:
    return {
        "name": face.name,
        "address": face.address,
        "initials": face.initials,
        "colour": face.colour,
        "detail": detail,
    }


def _person(item: Address | Invalid, *, check: bool) -> dict[str, Any]:
    if isinstance(item, Invalid):
        return {"name": "", "address": item.text, "valid": False, "reason": composing.reason(item)}
    unknown = check and resolve(item.address) is None
    reason = _("there is no such address in the company") if unknown else ""
    return {"name": item.name, "address": item.address, "valid": not unknown, "reason": reason}
