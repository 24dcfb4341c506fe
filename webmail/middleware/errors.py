"""The web's table from error kind to status, and the page or fragment that says it."""

from __future__ import annotations

from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from core.errors import ErrorKind, MailError
from core.full import is_full, refusal
from webmail.views.errors import failed

STATUS: dict[ErrorKind, int] = {
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.EXISTS: 409,
    ErrorKind.NO_PERMISSION: 403,
    ErrorKind.OVER_QUOTA: 507,
    ErrorKind.TOO_LARGE: 413,
    ErrorKind.IN_USE: 409,
    ErrorKind.LIMIT: 429,
    ErrorKind.INVALID: 422,
    ErrorKind.UNAVAILABLE: 503,
    ErrorKind.NO_SPACE: 507,
}


class MailErrors:
    """Turns a MailError that a view lets through into its answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Go on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Django's hook for what a view raises."""
        if isinstance(error, DatabaseError) and is_full(error):
            error = refusal(error)
        return failed(request, error, status=STATUS[error.kind]) if isinstance(error, MailError) else None
