"""No NUL in what a request asks for: PostgreSQL's text can't hold it, and no page of ours has a use for it.

Forms refuse it field by field; this is for what reaches a query without a form: path, query string, cookies.
"""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse


class RefuseNul:
    """Raises SuspiciousOperation (400) before anything reads the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Check and go on."""
        query = request.META.get("QUERY_STRING", "")
        if "%00" in query or any("\0" in text for text in (query, request.path_info, *request.COOKIES.values())):
            raise SuspiciousOperation("A NUL in the request")
        return self.get_response(request)
