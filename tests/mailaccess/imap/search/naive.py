"""SEARCH by the letter, for comparison: every message parsed by the standard library, every key looked at for each."""

from __future__ import annotations

import datetime
import email
import email.policy
import email.utils
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import cast

from mailstore.models import Flag
from mailstore.search.words import fold

SYSTEM = {
    "ANSWERED": Flag.ANSWERED,
    "DELETED": Flag.DELETED,
    "DRAFT": Flag.DRAFT,
    "FLAGGED": Flag.FLAGGED,
    "SEEN": Flag.SEEN,
}


@dataclass
class Mail:
    """A message as it was stored."""

    raw: bytes
    uid: int
    number: int
    flags: Flag = Flag(0)
    keywords: set[str] = field(default_factory=set)
    internal: datetime.datetime = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

    @property
    def parsed(self) -> EmailMessage:
        """By the standard library."""
        return cast("EmailMessage", email.message_from_bytes(self.raw, policy=email.policy.default))

    def people(self, name: str) -> str:
        """An address field as `name <address>`."""
        values = [str(value) for value in self.parsed.get_all(name, [])]
        pairs = email.utils.getaddresses(values)
        return ", ".join(f"{shown} <{address}>".strip() for shown, address in pairs if address)

    def body(self) -> str:
        """Fields of the inner parts and all texts."""
        found = []
        whole = self.parsed
        for part in whole.walk():
            if part is not whole:
                found += [f"{name}: {value}" for name, value in part.items()]
            if part.get_content_maintype() == "text":
                found.append(cast("EmailMessage", part).get_content())
        return "\n".join(found)

    def header(self) -> str:
        """All fields."""
        return "\n".join(f"{name}: {value}" for name, value in self.parsed.items())


Test = Callable[[Mail], bool]


@dataclass(frozen=True)
class Asked:
    """A key as it is said, and what it means."""

    said: str
    means: Test


def flag(name: str, *, is_set: bool) -> Asked:
    """SEEN, UNSEEN …"""
    return Asked(name if is_set else f"UN{name}", lambda mail: bool(mail.flags & SYSTEM[name]) == is_set)


def keyword(atom: str, *, is_set: bool) -> Asked:
    """KEYWORD, UNKEYWORD."""
    said = f"{'' if is_set else 'UN'}KEYWORD {atom}"
    return Asked(said, lambda mail: (atom.lower() in {each.lower() for each in mail.keywords}) == is_set)


def holds(name: str, value: str) -> Asked:
    """SUBJECT, FROM, TO, CC, BCC, BODY, TEXT."""
    wanted = fold(value)

    def means(mail: Mail) -> bool:
        if name == "SUBJECT":
            found = str(mail.parsed.get("Subject", ""))
        elif name == "BODY":
            found = mail.body()
        elif name == "TEXT":
            found = f"{mail.header()}\n\n{mail.body()}"
        else:
            found = mail.people(name)
        return wanted in fold(found) if wanted or name in {"BODY", "TEXT"} else bool(found)

    return Asked(f'{name} "{value}"', means)


def header(name: str, value: str) -> Asked:
    """HEADER."""
    wanted = fold(value)
    return Asked(
        f'HEADER {name} "{value}"',
        lambda mail: any(wanted in fold(str(each)) for each in mail.parsed.get_all(name, [])),
    )


def dated(how: str, day: datetime.date, *, sent: bool) -> Asked:
    """BEFORE, ON, SINCE and SENTBEFORE, SENTON, SENTSINCE."""

    def means(mail: Mail) -> bool:
        found: datetime.date | None = mail.internal.date()
        if sent:
            value = mail.parsed.get("Date")
            found = email.utils.parsedate_to_datetime(str(value)).date() if value else None
        if found is None:
            return False
        return {"BEFORE": found < day, "ON": found == day, "SINCE": found >= day}[how]

    return Asked(f"{'SENT' * sent}{how} {day.day}-{day:%b-%Y}", means)


def sized(bound: int, *, larger: bool) -> Asked:
    """LARGER, SMALLER."""
    said = f"{'LARGER' if larger else 'SMALLER'} {bound}"
    return Asked(said, lambda mail: len(mail.raw) > bound if larger else len(mail.raw) < bound)


def numbered(first: int, last: int, *, by_uid: bool) -> Asked:
    """A range of numbers or UIDs."""
    low, high = min(first, last), max(first, last)
    said = f"{'UID ' * by_uid}{first}:{last}"
    return Asked(said, lambda mail: low <= (mail.uid if by_uid else mail.number) <= high)


def turned(key: Asked) -> Asked:
    """NOT."""
    return Asked(f"NOT {key.said}", lambda mail: not key.means(mail))


def either(left: Asked, right: Asked) -> Asked:
    """OR."""
    return Asked(f"OR {left.said} {right.said}", lambda mail: left.means(mail) or right.means(mail))


def every(keys: list[Asked]) -> Asked:
    """In brackets."""
    return Asked(f"({' '.join(key.said for key in keys)})", lambda mail: all(key.means(mail) for key in keys))
