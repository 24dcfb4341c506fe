"""Reading and changing how an account likes its pages; a guest's theme is a cookie."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from accounts.models import Account
from core.errors import ErrorKind, MailError
from core.prepared import Prepared
from webmail.models import Display

DISPLAY = Prepared(lambda account_id: Display.objects.filter(pk=account_id))
THEME_COOKIE = "theme"
PAGE_SIZES = (20, 50, 100, 200)
MAX_SORTS = 200
"""Folders whose order is remembered; the oldest memory goes first."""


def display_of(request: HttpRequest) -> Display:
    """The reader's display, read once for a request; defaults for a guest."""
    found: Display | None = getattr(request, "display", None)
    if found is None:
        user = request.user
        found = DISPLAY.first(user.pk) if isinstance(user, Account) else None
        found = found or Display(theme=_guest_theme(request))
        request.display = found  # type: ignore[attr-defined]
    return found


def change_display(account: Account, **changed: Any) -> Display:
    """Save some of `theme`, `pane`, `page_size`, `conversations`; INVALID for a value that isn't offered."""
    display = _stored(account)
    offered: dict[str, Any] = {
        "theme": Display.Theme.values,
        "pane": Display.Pane.values,
        "page_size": PAGE_SIZES,
        "conversations": (True, False),
    }
    for name, value in changed.items():
        if name not in offered or value not in offered[name]:
            raise MailError(ErrorKind.INVALID, field=name)
        setattr(display, name, value)
    display.save()
    return display


def remember_sort(account: Account, folder_id: int, name: str) -> None:
    """The order of a folder for the next time; the natural one needs no memory."""
    display = _stored(account)
    sorts = {key: value for key, value in display.sorts.items() if key != str(folder_id)}
    if name != "date":
        sorts[str(folder_id)] = name
    display.sorts = dict(list(sorts.items())[-MAX_SORTS:])
    display.save()


def _stored(account: Account) -> Display:
    return Display.objects.filter(pk=account.pk).first() or Display(account=account)


def _guest_theme(request: HttpRequest) -> str:
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return theme if theme in Display.Theme.values else Display.Theme.AUTO
