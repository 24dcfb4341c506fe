"""Answers only under names that are ours: the public host, loopback, and every host of every local domain."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port

from accounts.domain_names import domain_of_host

ALWAYS = frozenset({"localhost", "127.0.0.1", "[::1]", "testserver"})


class KnownHosts:
    """Raises DisallowedHost (400) for any other Host header, before anything reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Check and go on."""
        name = split_domain_port(request.get_host())[0]
        if name.lower() not in ALWAYS and name.lower() != settings.PUBLIC_HOST.lower() and not domain_of_host(name):
            raise DisallowedHost(f"Not a host of ours: {name[:100]!r}")
        return self.get_response(request)
