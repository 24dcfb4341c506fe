"""The list of conversations of a folder, for those who like their mail so (a preference of the account)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.models import Account
from core.access import Access
from mailstore.models import Role
from mailstore.selectors.conversations import (
    ConversationPage,
    ConversationRow,
    conversation_page,
    conversation_place,
)
from mailstore.selectors.folders import FolderRow
from mailstore.selectors.lists import NATURAL, UNCOUNTED, Sort
from webmail.asked import Asked
from webmail.conversation_rows import ConversationRows
from webmail.delivery_words import held_words
from webmail.http import actor_of
from webmail.labels import labels_of
from webmail.pager import Numbered

CONDITIONS = frozenset({"unread", "starred"})
"""What a list of conversations can be filtered by; everything else shows single mails."""


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """A page and where it stands."""

    page: ConversationPage
    numbered: Numbered


def suits(asked: Asked, sort: Sort) -> bool:
    """Whether what is asked for can be shown as conversations."""
    others = (asked.label, asked.sender or None, asked.since, asked.until)
    return sort == NATURAL and CONDITIONS.issuperset(asked.show) and all(each is None for each in others)


def page(access: Access, folder: FolderRow, asked: Asked, *, size: int, unmarked: bool) -> Found:
    """The page that the address asks for."""
    shown = {name: name in asked.show for name in CONDITIONS}
    before, after, number = asked.key("before", NATURAL), asked.key("after", NATURAL), asked.number
    moment = asked.moment(NATURAL) if before is None and after is None else None
    skip = (number - 1) * size if before is None and after is None and moment is None else 0
    place = conversation_place(folder.id, **shown, skip=skip, newer_than_us=moment.sort_us if moment else None)
    pages = max(1, -(-place.total // size)) if place.total != UNCOUNTED else 0
    if moment is not None:
        after, number = moment, 1 + place.newer // size
    elif skip and place.after is None:  # beyond the end
        number = pages or 1
        after = conversation_place(folder.id, **shown, skip=(number - 1) * size).after
    elif skip:
        after = place.after
    found = conversation_page(
        access, folder.id, **shown, unmarked=unmarked, before=before, after=after, limit=size, folder=folder
    )
    return Found(found, Numbered(min(number, pages) if pages else number, pages, found.previous, found.next))


def render(
    request: HttpRequest, access: Access, folder: FolderRow, rows: Sequence[ConversationRow], *, current: int
) -> SafeString:
    """The rows; the conversation `current` is marked."""
    states = held_words(access) if folder.role == Role.DRAFTS else {}
    made = ConversationRows(role=folder.role, current=current, labels=labels_of(request, access), states=states)
    return made.render_conversations(rows, folder_id=folder.id, me=_me(request, access))


def _me(request: HttpRequest, access: Access) -> str:
    actor: Account = actor_of(request)
    return actor.name if access.mailbox == actor.pk else ""
