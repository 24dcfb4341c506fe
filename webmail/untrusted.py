"""Answers whose bytes strangers wrote: downloads, pictures, sources. No browser may take them for a page of ours.

Each carries a policy that allows nothing and puts the document, should one be shown, into a sandbox without
scripts and without an origin; `nosniff` keeps the type; the name is written as RFC 6266 wants it.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, Any, TypeVar, cast

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from documents.filetype import safe_filename

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox; frame-ancestors 'self'"
DAY_S = 86_400
_ACTIVE = frozenset({"html", "xhtml+xml", "xml", "svg+xml", "javascript", "x-shockwave-flash"})

T = TypeVar("T", bound=HttpResponseBase)


def download(content: bytes, *, filename: str, content_type: str = "application/octet-stream") -> HttpResponse:
    """`content` as a file to keep."""
    response = HttpResponse(content, content_type=_safe_type(content_type))
    return _guarded(response, filename=filename, as_attachment=True)


def picture(content: bytes, *, filename: str, content_type: str, keep_s: int = 7 * DAY_S) -> HttpResponse:
    """A raster picture to be shown in place; the caller has made sure that it is one."""
    response = _guarded(HttpResponse(content, content_type=content_type), filename=filename, as_attachment=False)
    response["Cache-Control"] = f"private, max-age={keep_s}, immutable"
    return response


def text(content: str) -> HttpResponse:
    """Text to be read in the browser as it is."""
    response = HttpResponse(content, content_type="text/plain; charset=utf-8")
    return _guarded(response, filename="", as_attachment=False)


def archive(files: Iterable[tuple[str, bytes]], *, filename: str) -> StreamingHttpResponse:
    """Files as one zip, sent while it is made. Double names get a number."""
    response = StreamingHttpResponse(_zipped(files), content_type="application/zip")
    return _guarded(response, filename=filename, as_attachment=True)


def _guarded(response: T, *, filename: str, as_attachment: bool) -> T:
    disposition = content_disposition_header(as_attachment, safe_filename(filename) if filename else "")
    if disposition:
        response["Content-Disposition"] = disposition
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-cache"
    return response


def _safe_type(content_type: str) -> str:
    """A download's type only helps the browser to choose a program; pages and scripts are never named as such."""
    main, _, sub = content_type.partition("/")
    active = sub in _ACTIVE or main in {"multipart", "message"}
    return "application/octet-stream" if active or not content_type.isascii() else content_type


class _Sink(io.RawIOBase):
    """What `zipfile` writes into; emptied after each file. It can't seek, so sizes follow the data."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self.pieces.append(bytes(piece))
        return len(self.pieces[-1])

    def take(self) -> bytes:
        taken, self.pieces = b"".join(self.pieces), []
        return taken


def _zipped(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    sink = _Sink()
    taken: set[str] = set()
    with zipfile.ZipFile(cast("IO[bytes]", sink), "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for filename, content in files:
            packed.writestr(_free_name(safe_filename(filename), taken), content)
            yield sink.take()
    yield sink.take()


def _free_name(filename: str, taken: set[str]) -> str:
    stem, dot, extension = filename.rpartition(".")
    name, number = filename, 2
    while name.lower() in taken:
        name = f"{stem} ({number}).{extension}" if dot and stem else f"{filename} ({number})"
        number += 1
    taken.add(name.lower())
    return name
