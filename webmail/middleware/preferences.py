"""Language, time zone and theme of whoever is signed in; of the domain and the browser before that."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from accounts.domain_names import domain_of_host
from accounts.models import Account

LANGUAGE_COOKIE = settings.LANGUAGE_COOKIE_NAME


class Preferences:
    """Activates language and zone for the request. The account's own settings win over the cookie."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Activate, answer, name the language."""
        account = request.user if request.user.is_authenticated else None
        language = account.language if isinstance(account, Account) else _guest_language(request)
        zone = account.time_zone if isinstance(account, Account) else settings.DEFAULT_USER_TIME_ZONE
        with translation.override(language), timezone.override(_zone(zone)):
            request.LANGUAGE_CODE = translation.get_language()  # type: ignore[attr-defined]
            response = self.get_response(request)
            if hasattr(response, "render") and not getattr(response, "is_rendered", True):
                response = response.render()
        response.headers.setdefault("Content-Language", language)
        return response


def _guest_language(request: HttpRequest) -> str:
    """The cookie of the language switch, then what the browser asks for, then the domain's."""
    known = {code for code, _name in settings.LANGUAGES}
    chosen = request.COOKIES.get(LANGUAGE_COOKIE, "")
    if chosen in known:
        return chosen
    if request.headers.get("Accept-Language"):
        return translation.get_language_from_request(request)
    domain = domain_of_host(request.get_host())
    return domain.language if domain else settings.LANGUAGE_CODE


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo(settings.DEFAULT_USER_TIME_ZONE)
