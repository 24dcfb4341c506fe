"""Small messages, and the shortest ways to have them stored."""

from __future__ import annotations

from collections.abc import Sequence
from unittest import mock

from django.db import transaction

from core.access import Access
from mailstore.models import Role
from mailstore.selectors import folders
from mailstore.selectors.lists import By, Filter, Sort
from mailstore.services import orders
from mailstore.services.deliver import Incoming, Placement, prepare, store


def letter(
    name: str = "one",
    *,
    sender: str = "王小明 <wang@partner.test>",
    to: str = "alice@example.test",
    subject: str = "Budget 预算",
    references: Sequence[str] = (),
    body: str = "Dear all",
    extra: str = "",
) -> bytes:
    """A message whose Message-ID is `<name@letters.test>`."""
    refs = "".join(f" <{each}@letters.test>" for each in references)
    lines = [
        f"From: {sender}",
        f"To: {to}",
        f"Subject: {subject}",
        f"Message-ID: <{name}@letters.test>",
        "Date: Mon, 05 Jan 2026 09:00:00 +0800",
        *([f"References:{refs}"] if refs else []),
        *([extra] if extra else []),
        "Content-Type: text/plain; charset=utf-8",
        "",
        body,
        "",
    ]
    return "\r\n".join(lines).encode()


def stored(access: Access, raw: bytes, *, role: Role = Role.INBOX, flags: int = 0, at_us: int | None = None) -> int:
    """Deliver one message; its entry."""
    with transaction.atomic():
        placement = Placement(access.mailbox, role=role, flags=flags, internal_us=at_us)
        return store([Incoming(prepare(raw), [placement])])[0].entry_ids[access.mailbox]


def stored_many(access: Access, count: int, *, first: int = 0, role: Role = Role.INBOX) -> list[int]:
    """Deliver `count` messages, a second apart, oldest first; their entries."""
    found: list[int] = []
    for begin in range(first, first + count, 500):
        numbers = range(begin, min(begin + 500, first + count))
        items = [
            Incoming(
                prepare(letter(f"m{number}", subject=f"Letter {number}")),
                [Placement(access.mailbox, role=role, internal_us=1_700_000_000_000_000 + number * 1_000_000)],
            )
            for number in numbers
        ]
        with transaction.atomic():
            found += [each.entry_ids[access.mailbox] for each in store(items)]
    return found


def folder_id(access: Access, role: Role = Role.INBOX) -> int:
    """The folder with a role."""
    return folders.folder_by_role(access, role).id


def keep_orders(access: Access, *, fill: bool = True, role: Role = Role.INBOX) -> None:
    """As after somebody has looked at a large folder in every order there is."""
    place = folders.folder_by_role(access, role)
    with mock.patch.multiple(orders, KEPT_FROM=-1, _noted={}):
        for by in (By.SENDER, By.SUBJECT, By.SIZE):
            orders.use_orders(access, place, Filter(sender="a@b.test"), Sort(by))
    if fill:
        orders.fill_orders(place.id)
