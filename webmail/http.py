"""From a request to an `Access`: the edge of the web, where a signed-in account and an id meet."""

from __future__ import annotations

import dataclasses
from typing import cast

from django.http import HttpRequest

from accounts.models import Account
from accounts.selectors import access_for
from core.access import Access, Via
from core.errors import ErrorKind, MailError
from mailstore.fields import MAX_MAILBOX, mailbox_of
from mailstore.selectors.folders import FolderRow, folder_tree
from mailstore.selectors.list_marked import SLEEPING_ROLES, MarkCount
from mailstore.selectors.side import Side, mailbox_side

MAX_ID = 2**63 - 1
MAX_PROGRAM_CHARS = 200


def actor_of(request: HttpRequest) -> Account:
    """Who is signed in; use behind `login_required`."""
    return cast("Account", request.user)


def access_of(request: HttpRequest, packed_id: int) -> Access:
    """What the reader may do with the mailbox that an id belongs to; NOT_FOUND for a stranger's.

    The mailbox becomes the request's own: the frame draws its tree.
    """
    if not 0 <= packed_id <= MAX_ID:
        raise MailError(ErrorKind.NOT_FOUND)
    return mailbox_access(request, mailbox_of(packed_id))


def mailbox_access(request: HttpRequest, mailbox: int) -> Access:
    """As `access_of`, by the mailbox itself."""
    if not 0 < mailbox <= MAX_MAILBOX:
        raise MailError(ErrorKind.NOT_FOUND)
    access = access_for(actor_of(request), mailbox, via=via_of(request))
    request.mailbox_access = access  # type: ignore[attr-defined]
    return access


def current_access(request: HttpRequest) -> Access:
    """The mailbox this page is about; the reader's own where no id said otherwise."""
    found: Access | None = getattr(request, "mailbox_access", None)
    actor = actor_of(request)
    return found if found is not None else access_for(actor, actor.pk, via=via_of(request))


def folders_of(request: HttpRequest, access: Access) -> list[FolderRow]:
    """The mailbox's folders, read once for a request: list, frame and move menu share them. To-do mails are in a list of
    their own and not in the counters here (4.3 of the manual)."""
    found: dict[int, list[FolderRow]] = request.__dict__.setdefault("folder_rows", {})
    if access.mailbox not in found:
        marks = side_of(request, access).marks  # first: its modseq must not be newer than any number on the page
        rows = [row for row in folder_tree(access) if not row.is_hidden]
        found[access.mailbox] = [_without_marked(row, marks.get(row.id)) for row in rows]
    return found[access.mailbox]


def side_of(request: HttpRequest, access: Access) -> Side:
    """Fill, labels and to-do marks of the mailbox, read once for a request."""
    found: dict[int, Side] = request.__dict__.setdefault("sides", {})
    if access.mailbox not in found:
        found[access.mailbox] = mailbox_side(access)
    return found[access.mailbox]


def forget_read(request: HttpRequest) -> None:
    """Read anew what follows: an act has changed it."""
    for name in ("folder_rows", "sides"):
        request.__dict__.pop(name, None)


def hides_marked(request: HttpRequest, access: Access, folder: FolderRow) -> bool:
    """Whether a folder has to-do mails that its list leaves out."""
    return folder.role not in SLEEPING_ROLES and folder.id in side_of(request, access).marks


def _without_marked(row: FolderRow, marked: MarkCount | None) -> FolderRow:
    if marked is None or row.is_locked or row.role in SLEEPING_ROLES:
        return row
    return dataclasses.replace(
        row,
        total=row.total - marked.total,
        unread=row.unread - marked.unread,
        starred=row.starred - marked.starred,
    )


def folder_of(request: HttpRequest, access: Access, folder_id: int) -> FolderRow:
    """One of them; NOT_FOUND for any other, NO_PERMISSION for a locked one."""
    for row in folders_of(request, access):
        if row.id == folder_id:
            if row.is_locked:
                raise MailError(ErrorKind.NO_PERMISSION, locked=folder_id)
            return row
    raise MailError(ErrorKind.NOT_FOUND, folder=folder_id)


def packed_ids(texts: list[str], *, limit: int) -> list[int]:
    """Ids from a form; INVALID for more than `limit`, NOT_FOUND for what is no id."""
    if len(texts) > limit:
        raise MailError(ErrorKind.LIMIT, limit=limit)
    return [packed_id(text) for text in texts]


def packed_id(text: str) -> int:
    """One id from a form."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= MAX_ID):
        raise MailError(ErrorKind.NOT_FOUND)
    return int(text)


def wants_json(request: HttpRequest) -> bool:
    """Whether one of our scripts asks for data."""
    return "application/json" in request.headers.get("Accept", "")


def is_fragment(request: HttpRequest, target: str) -> bool:
    """Whether htmx wants just the part named `target` (partial name = DOM id)."""
    return request.headers.get("HX-Target") == target and not request.headers.get("HX-History-Restore-Request")


def is_pane(request: HttpRequest) -> bool:
    """Whether a script wants the reading pane alone, which is what it asks for when it names no part."""
    return "HX-Request" in request.headers and request.headers.get("HX-Target", "pane") == "pane"


def via_of(request: HttpRequest) -> Via:
    """What the deletion log says of a browser."""
    return Via("web", request.headers.get("User-Agent", "")[:MAX_PROGRAM_CHARS], remote_address(request))


def remote_address(request: HttpRequest) -> str:
    """The address of the browser as the web server saw it."""
    return str(request.META.get("REMOTE_ADDR", ""))
