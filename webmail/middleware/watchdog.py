"""Answers /healthz before anything that reads the database or cares for the Host: a watchdog asks by address, and most
urgently when the database is gone."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from webmail.views.health import health

PATH = "/healthz"


class Watchdog:
    """The first of all middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The health page, or on."""
        return health(request) if request.path == PATH else self.get_response(request)
