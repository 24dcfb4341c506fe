"""The pager of lists by key: n/N, previous, next, and "keep looking" where one call looked at a part only."""

from __future__ import annotations

import dataclasses

from mailstore.selectors.lists import Key
from webmail.asked import Asked


@dataclasses.dataclass(frozen=True, slots=True)
class Numbered:
    """Where a page stands: its number, how many there are (0 where nobody counted), the keys of its ends."""

    number: int
    pages: int
    previous: Key | None
    next: Key | None


@dataclasses.dataclass(frozen=True, slots=True)
class Pager:
    """Links of the pager; empty where there is nothing. `is_partial`: the page is short because not all was looked at,
    and `next` goes on looking."""

    number: int
    pages: int
    previous: str
    next: str
    is_partial: bool = False
    kept: tuple[tuple[str, str], ...] = ()
    """What a form that jumps sends along."""


def pager(address: str, asked: Asked, it: Numbered, *, size: int, count: int) -> Pager:
    """The links of a page with `count` rows."""
    following = ""
    if it.next is not None and it.number != it.pages:
        following = asked.link(address, after=it.next, page=it.number + 1)
    return Pager(
        number=it.number,
        pages=it.pages,
        previous=_previous(address, asked, it),
        next=following,
        is_partial=bool(following) and count < size,
        kept=tuple(asked.pairs()),
    )


def _previous(address: str, asked: Asked, it: Numbered) -> str:
    jumped = asked.day is not None or bool(asked.before)
    if it.previous is not None and (it.number > 2 or (not it.pages and (it.number > 1 or jumped))):
        return asked.link(address, before=it.previous, page=max(1, it.number - 1))
    if it.number > 2:
        return asked.link(address, page=it.number - 1)
    return asked.link(address) if it.number == 2 or it.previous is not None else ""
