"""What the frame around every page needs. Everything is lazy: a fragment or the administration pays for nothing."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.domain_names import domain_of_host
from accounts.models import Account
from accounts.rows import Level
from accounts.selectors import mailboxes_of
from core.access import Access, Right
from mailstore.models import Role
from mailstore.selectors.folders import FolderRow
from mailstore.selectors.list_marked import SLEEPING_ROLES
from mailstore.services.monitoring import ROOT as MONITOR_ROOT
from mta.selectors.put_by import PutBy, put_by
from webmail.display import display_of
from webmail.http import current_access, folders_of, side_of
from webmail.labels import Label, labels_of

ICONS = {
    Role.INBOX: "inbox",
    Role.DRAFTS: "file-text",
    Role.SENT: "send",
    Role.TRASH: "trash",
    Role.JUNK: "alert-triangle",
    Role.MONITOR: "eye",
    Role.NONE: "folder",
}
COUNTED = frozenset({Role.INBOX, Role.JUNK, Role.NONE})
"""Folders whose unread mails are counted in the tree; 草稿箱 counts all of its mails."""


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """A folder in the tree."""

    id: str
    role: str
    name: str
    icon: str
    depth: int
    count: int
    is_current: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Tree:
    """The left side: the mailbox's folders, its fill, and the other mailboxes the reader may open."""

    mailbox: int
    modseq: int
    is_own: bool
    may_organise: bool
    system: list[Node]
    own: list[Node]
    used_bytes: int
    quota_bytes: int
    percent: int
    mailboxes: list[dict[str, Any]]
    place: str
    """Which list across folders this is: `todo`, `done`, `label-7`; empty elsewhere."""
    todo: int
    """Mails that are to do."""
    put_by: PutBy
    labels: list[Label]
    may_label: bool


def frame(request: HttpRequest) -> dict[str, Any]:
    """Django's context processor."""
    return {
        "display": SimpleLazyObject(lambda: display_of(request)),
        "brand": SimpleLazyObject(lambda: _brand(request)),
        "tree": SimpleLazyObject(lambda: tree_of(request)),
        "languages": settings.LANGUAGES,
    }


def tree_of(request: HttpRequest) -> Tree:
    """The left tree of the page's mailbox: four queries."""
    access = current_access(request)
    current = getattr(request, "current_folder", 0)
    rows = folders_of(request, access)
    nodes = [
        Node(
            id=str(row.id),
            role=row.role,
            name=folder_name(row.role, row.name),
            icon=ICONS[Role(row.role)],
            depth=min(row.depth, 6),
            count=row.total if row.role == Role.DRAFTS else row.unread if Role(row.role) in COUNTED else 0,
            is_current=row.id == current,
        )
        for row in rows
    ]
    side = side_of(request, access)
    usage = side.usage
    is_own = access.mailbox == request.user.pk
    return Tree(
        mailbox=access.mailbox,
        modseq=side.modseq,
        is_own=is_own,
        may_organise=access.may(Right.FOLDERS),
        system=[node for node in nodes if node.role],
        own=[node for node in nodes if not node.role],
        used_bytes=usage.used_bytes,
        quota_bytes=usage.quota_bytes,
        percent=min(100, round(100 * usage.used_bytes / usage.quota_bytes)) if usage.quota_bytes else 0,
        mailboxes=_mailboxes(request, access.mailbox),
        place=getattr(request, "current_place", ""),
        todo=_to_do(request, access, rows),
        put_by=put_by(side),
        labels=labels_of(request, access),
        may_label=access.may(Right.FLAG),
    )


def _to_do(request: HttpRequest, access: Access, rows: list[FolderRow]) -> int:
    """How many mails are to do, where the list of them looks."""
    marks = side_of(request, access).marks
    seen = [row for row in rows if not row.is_locked and row.role not in SLEEPING_ROLES]
    return sum(marks[row.id].open for row in seen if row.id in marks)


def folder_name(role: str, name: str) -> str:
    """A folder's name for people: by its role in their language, else as they named it."""
    if role == Role.MONITOR and name != MONITOR_ROOT:
        return name  # whose mail lies there
    return str(Role(role).label) if role else name


def _mailboxes(request: HttpRequest, current: int) -> list[dict[str, Any]]:
    """The reader's mailboxes when there is more than his own."""
    assert isinstance(request.user, Account)
    found = mailboxes_of(request.user)
    if len(found) < 2:
        return []
    return [
        {"id": row.id, "name": row.name, "is_own": row.level == Level.OWNER, "is_current": row.id == current}
        for row in found
    ]


def _brand(request: HttpRequest) -> dict[str, str]:
    """The company's name and colour: of the reader's domain, else of the host's."""
    user = request.user
    if isinstance(user, Account):
        return {"title": user.domain.title, "domain": user.domain.name}
    domain = domain_of_host(request.get_host())
    return {"title": domain.title if domain else "", "domain": domain.name if domain else ""}
