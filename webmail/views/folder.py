"""A folder's list, with the pane beside it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from webmail.display import display_of
from webmail.http import access_of, folder_of, folders_of, is_fragment
from webmail.listing import Asked, listing


@login_required
@require_safe
def folder(request: HttpRequest, folder_id: int) -> HttpResponse:
    """`?show=` filters, `?page=` jumps, `after`/`before` are keys of the pager. htmx gets the list and the tree alone."""
    access = access_of(request, folder_id)
    found = folder_of(request, access, folder_id)
    request.current_folder = found.id  # type: ignore[attr-defined]
    tree = folders_of(request, access)
    context = listing(access, found, Asked.of(request), size=display_of(request).page_size, tree=tree)
    template = "webmail/list_part.html" if is_fragment(request, "list") else "webmail/folder.html"
    return render(request, template, context)
