"""gzip for pages, at the level that pays: 9 % more bytes than Django's level for a quarter of its time."""

from __future__ import annotations

import gzip
import secrets

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers

LEVEL = 2
FNAME = 8
"""The header's flag for a file name (RFC 1952 2.3.1)."""
MAX_NAME_BYTES = 100
"""A name of random length hides how well a secret in the page compresses ("Heal the Breach")."""
MIN_BYTES = 200


class Compression(GZipMiddleware):
    """Django's, but for whole pages; streams are left to it."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Compress what is long enough, where the browser takes it."""
        if not isinstance(response, HttpResponse) or response.streaming:
            return super().process_response(request, response)  # type: ignore[arg-type]
        if len(response.content) < MIN_BYTES or response.has_header("Content-Encoding"):
            return response
        patch_vary_headers(response, ("Accept-Encoding",))
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            _compress(response)
        return response


def _compress(response: HttpResponse) -> None:
    packed = gzip.compress(response.content, LEVEL, mtime=0)
    name = b"a" * secrets.randbelow(MAX_NAME_BYTES) + b"\0"
    packed = packed[:3] + bytes([FNAME]) + packed[4:10] + name + packed[10:]
    if len(packed) >= len(response.content):
        return
    response.content = packed
    response.headers["Content-Length"] = str(len(packed))
    response.headers["Content-Encoding"] = "gzip"
    tag = response.headers.get("ETag", "")
    if tag.startswith('"'):
        response.headers["ETag"] = f"W/{tag}"  # other bytes for the same page (RFC 9110 8.8.1)
