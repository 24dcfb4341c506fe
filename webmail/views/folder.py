"""A folder's list, with the pane beside it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.views.decorators.http import require_safe

from core.errors import MailError
from webmail.display import display_of
from webmail.http import access_of, folder_of, folders_of, is_fragment
from webmail.listing import Asked, listing

PART = "webmail/list_part.html"


@login_required
@require_safe
def folder(request: HttpRequest, folder_id: int) -> HttpResponse:
    """`?show=` filters, `?page=` jumps, `after`/`before` are keys of the pager. A script gets the list and the tree
    alone.
    """
    context = _context(request, folder_id, request.GET)
    return render(request, PART if is_fragment(request, "list") else "webmail/folder.html", context)


def list_after(request: HttpRequest, address: str) -> str:
    """The list at `address` and the tree as they are now, so that an act needs no second request; else empty."""
    parts = urlsplit(address)
    try:
        found = resolve(parts.path)
        if found.url_name != "folder":
            return ""
        return render_to_string(PART, _context(request, found.kwargs["folder_id"], QueryDict(parts.query)), request)
    except (Resolver404, MailError):
        return ""


def _context(request: HttpRequest, folder_id: int, query: QueryDict) -> dict[str, Any]:
    access = access_of(request, folder_id)
    found = folder_of(request, access, folder_id)
    request.current_folder = found.id  # type: ignore[attr-defined]
    tree = folders_of(request, access)
    return listing(access, found, Asked.of(query), size=display_of(request).page_size, tree=tree)
