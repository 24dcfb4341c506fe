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
from webmail.asked import Asked
from webmail.http import access_of, folder_of, is_fragment, mailbox_access
from webmail.listing import listing
from webmail.marked import label_listing, todo_listing

PART = "webmail/list_part.html"


@login_required
@require_safe
def folder(request: HttpRequest, folder_id: int) -> HttpResponse:
    """The address says what is shown and how (`webmail.asked`). A script gets the list and the tree alone."""
    return _page(request, folder_context(request, folder_id, Asked.of(request.GET)))


@login_required
@require_safe
def label(request: HttpRequest, mailbox_id: int, label_id: int) -> HttpResponse:
    """标签邮件: the mails of a label, of all folders but trash and junk."""
    return _page(request, _label(request, mailbox_id, label_id, Asked.of(request.GET)))


@login_required
@require_safe
def todo(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """待办邮件."""
    return _page(request, _todo(request, mailbox_id, Asked.of(request.GET), done=False))


@login_required
@require_safe
def todo_done(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """已完成."""
    return _page(request, _todo(request, mailbox_id, Asked.of(request.GET), done=True))


def list_after(request: HttpRequest, address: str) -> str:
    """The list at `address` and the tree as they are now, so that an act needs no second request; else empty."""
    parts = urlsplit(address)
    try:
        found = resolve(parts.path)
        if found.url_name not in CONTEXTS:
            return ""
        context = CONTEXTS[found.url_name](request, asked=Asked.of(QueryDict(parts.query)), **found.kwargs)
        return render_to_string(PART, context, request)
    except (Resolver404, MailError):
        return ""


def folder_context(
    request: HttpRequest, folder_id: int, asked: Asked, *, current: int = 0, thread: int = 0
) -> dict[str, Any]:
    """The context of a folder's list; NOT_FOUND, NO_PERMISSION when it is locked."""
    access = access_of(request, folder_id)
    found = folder_of(request, access, folder_id)
    request.current_folder = found.id  # type: ignore[attr-defined]
    return listing(request, access, found, asked, current=current, thread=thread)


def _label(request: HttpRequest, mailbox_id: int, label_id: int, asked: Asked) -> dict[str, Any]:
    access = mailbox_access(request, mailbox_id)
    request.current_place = f"label-{label_id}"  # type: ignore[attr-defined]
    return label_listing(request, access, label_id, asked)


def _todo(request: HttpRequest, mailbox_id: int, asked: Asked, *, done: bool) -> dict[str, Any]:
    access = mailbox_access(request, mailbox_id)
    request.current_place = "done" if done else "todo"  # type: ignore[attr-defined]
    return todo_listing(request, access, asked, done=done)


CONTEXTS: dict[str, Any] = {
    "folder": folder_context,
    "label": _label,
    "todo": lambda request, **given: _todo(request, **given, done=False),
    "todo_done": lambda request, **given: _todo(request, **given, done=True),
}
"""What shows lists, by the names of their addresses."""


def _page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    return render(request, PART if is_fragment(request, "list") else "webmail/folder.html", context)
