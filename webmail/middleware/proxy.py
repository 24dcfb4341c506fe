"""Behind a proxy every connection comes from the proxy; the browser's address is what the proxy wrote down.

Throttle and sign-in log go by address: without this a few wrong passwords would shut everybody out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class ForwardedAddress:
    """Makes the last address of X-Forwarded-For the request's own. Only in use with BEHIND_PROXY.

    The last one is the proxy's word; those before it are whatever the client sent.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Look and go on; what is no address is left alone."""
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if is_address(forwarded):
            request.META["REMOTE_ADDR"] = forwarded
        return self.get_response(request)


def is_address(text: str) -> bool:
    """Whether it is an IP address and nothing else."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
