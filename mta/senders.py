"""Whether somebody listed a sender: pure look-ups in two dicts, so the receiving loop may ask.

The more specific entry wins (an address before its domain, a subdomain before its parent); between equals the white
list, and one's own list is no more specific than the company's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from accounts.addressing import canonical_domain, parse
from core.errors import ErrorKind, MailError
from mta.models.senders import ListedSender

Wish = ListedSender.Wish
LISTED_MAX = 500
"""Entries of one list of one owner (18.2.1 of the manual)."""
PARENTS_MAX = 10
"""Labels of a sender's domain that are looked up; a longer name is looked up from its end."""


@dataclasses.dataclass(frozen=True, slots=True)
class SenderLists:
    """What counts for one account: pattern to wish."""

    own: Mapping[str, str] = dataclasses.field(default_factory=dict)
    company: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def wish_about(self, sender: str) -> str | None:
        """`block`, `safe`, or None for an address that nobody listed; nothing is ever listed about the null sender."""
        for pattern in _patterns(sender):
            wishes = {self.own.get(pattern), self.company.get(pattern)} - {None}
            if wishes:
                return Wish.SAFE if Wish.SAFE in wishes else Wish.BLOCK
        return None

    def __bool__(self) -> bool:
        return bool(self.own or self.company)


NO_LISTS = SenderLists()


def canonical_pattern(text: str) -> str:
    """What a person typed (`a@b.c`, `b.c`, `@b.c`, `*@b.c`, a U-label) as it is stored; raises INVALID."""
    typed = text.strip()
    local_part, at, domain = typed.rpartition("@")
    if not at or local_part in ("", "*"):
        return canonical_domain(domain)
    parts = parse(typed)
    if parts is None or any(character.isspace() for character in parts.local_part):
        raise MailError(ErrorKind.INVALID, field="pattern", name=text)
    canonical_domain(parts.domain)
    return parts.address


def _patterns(sender: str) -> Iterator[str]:
    """The address, its domain, the parents of that down to two labels."""
    parts = parse(sender) if sender else None
    if parts is None:
        return
    yield parts.address
    if parts.untagged != parts:
        yield parts.untagged.address
    labels = parts.domain.split(".")[-PARENTS_MAX:]
    for first in range(max(1, len(labels) - 1)):
        yield ".".join(labels[first:])
