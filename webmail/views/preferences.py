"""Language and theme, switched from any page; a guest's choice is a cookie."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.models import Account
from core.errors import ErrorKind, MailError
from webmail.display import PAGE_SIZES, THEME_COOKIE, change_display
from webmail.http import wants_json
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
    """Some of `theme`, `pane`, `page_size`."""
    changed: dict[str, object] = {name: request.POST[name] for name in ("theme", "pane") if name in request.POST}
    if "page_size" in request.POST:
        text = request.POST["page_size"]
        changed["page_size"] = int(text) if text in {str(size) for size in PAGE_SIZES} else 0
    if isinstance(request.user, Account):
        change_display(request.user, **changed)
    response = HttpResponse(status=204) if wants_json(request) else _back(request)
    theme = changed.get("theme")
    if theme in Display.Theme.values:
        response.set_cookie(THEME_COOKIE, str(theme), max_age=YEAR_S, samesite="Lax")
    return response


def _back(request: HttpRequest) -> HttpResponse:
    wanted = request.POST.get("next", "")
    safe = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return redirect(wanted if safe else "home")
