"""Language and theme, switched from any page; a guest's choice is a cookie."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.models import Account
from core.errors import ErrorKind, MailError
from webmail.asked import name_of, sort_of
from webmail.display import PAGE_SIZES, THEME_COOKIE, change_display, remember_sort
from webmail.http import access_of, folder_of, packed_id, wants_json
from webmail.models import Display

YEAR_S = 365 * 24 * 3600


@require_POST
def switch_language(request: HttpRequest) -> HttpResponse:
    """`language`: one of those offered; kept in the account, and in a cookie for the sign-in page."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        raise MailError(ErrorKind.INVALID, field="language")
    if isinstance(request.user, Account):
        request.user.language = language
        request.user.save(update_fields=["language"])
    response = _back(request)
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, max_age=YEAR_S, samesite="Lax")
    return response


@require_POST
def switch_display(request: HttpRequest) -> HttpResponse:
    """Some of `theme`, `pane`, `page_size`, `conversations` (on, off), and `sort` of a `folder`."""
    changed: dict[str, object] = {name: request.POST[name] for name in ("theme", "pane") if name in request.POST}
    if "page_size" in request.POST:
        text = request.POST["page_size"]
        changed["page_size"] = int(text) if text in {str(size) for size in PAGE_SIZES} else 0
    if "conversations" in request.POST:
        changed["conversations"] = {"on": True, "off": False}.get(request.POST["conversations"], "")
    if isinstance(request.user, Account):
        if changed:
            change_display(request.user, **changed)
        if "sort" in request.POST:
            _remember_sort(request, request.user)
    response = HttpResponse(status=204) if wants_json(request) else _back(request)
    theme = changed.get("theme")
    if theme in Display.Theme.values:
        response.set_cookie(THEME_COOKIE, str(theme), max_age=YEAR_S, samesite="Lax")
    return response


def _remember_sort(request: HttpRequest, account: Account) -> None:
    sort = sort_of(request.POST["sort"])
    if sort is None:
        raise MailError(ErrorKind.INVALID, field="sort")
    folder_id = packed_id(request.POST.get("folder", ""))
    access = access_of(request, folder_id)
    folder_of(request, access, folder_id)
    remember_sort(account, folder_id, name_of(sort))


def _back(request: HttpRequest) -> HttpResponse:
    wanted = request.POST.get("next", "")
    if "sort" in request.POST:  # the address says the order too, so that it can be shared
        wanted += f"{'&' if '?' in wanted else '?'}{urlencode({'sort': request.POST['sort']})}"
    safe = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return redirect(wanted if safe else "home")
