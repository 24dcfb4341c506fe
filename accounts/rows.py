"""What the selectors answer: small frozen values, safe to keep, to send between threads and to cache."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any, Literal

from accounts.models import Account


@dataclasses.dataclass(frozen=True, slots=True)
class DomainRow:
    """A local domain, its look and the limits that mail obeys. `name` is the main name, never an alias."""

    id: int
    name: str
    title: str
    brand_colour: str
    language: str
    time_zone: str
    is_active: bool
    catch_all_id: int | None
    message_max_bytes: int
    max_recipients: int
    aliases: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class AccountRow:
    """An account as mail needs it."""

    id: int
    address: str
    name: str
    domain_id: int
    domain_name: str
    status: str
    quota_bytes: int
    language: str
    time_zone: str
    kind: str

    @property
    def is_active(self) -> bool:
        """Takes part in mail: neither suspended nor erased."""
        return self.status == Account.Status.ACTIVE


class Level(enum.StrEnum):
    """What somebody may do in a mailbox."""

    OWNER = "owner"
    READER = "reader"
    EDITOR = "editor"
    SENDER = "sender"


@dataclasses.dataclass(frozen=True, slots=True)
class MailboxRow(AccountRow):
    """A mailbox somebody may open, with his level there."""

    level: Level = Level.READER


@dataclasses.dataclass(frozen=True, slots=True)
class Resolved:
    """Whom an address means. `address` is the row that matched, in canonical form.

    `via_alias`: the mail reached its account by another name (alias address, domain alias, tag or catch-all).
    """

    kind: Literal["account", "group", "catch_all"]
    account: AccountRow | None
    group_id: int | None
    address: str
    via_alias: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Expansion:
    """The members of a group right now; `allowed` says whether this sender may write to it, `is_held` whether his mail
    waits for the approver first."""

    accounts: list[AccountRow]
    externals: list[str]
    allowed: bool
    is_held: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """A From somebody may use."""

    address: str
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """Who is behind an address: a person with his department, or a group."""

    name: str
    department: str


@dataclasses.dataclass(frozen=True, slots=True)
class Person:
    """A line of the company directory."""

    id: int
    address: str
    name: str
    title: str
    department_id: int | None
    department: str


@dataclasses.dataclass(frozen=True, slots=True)
class DepartmentRow:
    """A node of the directory tree, listed parents first."""

    id: int
    parent_id: int | None
    name: str
    depth: int


def account_row(account: Account) -> AccountRow:
    """The row of an account whose domain is loaded."""
    return AccountRow(**_fields(account))


def mailbox_row(account: Account, level: Level) -> MailboxRow:
    """The row of a mailbox whose account and domain are loaded."""
    return MailboxRow(**_fields(account), level=level)


def _fields(account: Account) -> dict[str, Any]:
    return {
        "id": account.pk,
        "address": account.address,
        "name": account.name,
        "domain_id": account.domain_id,
        "domain_name": account.domain.name,
        "status": account.status,
        "quota_bytes": account.quota_bytes,
        "language": account.language,
        "time_zone": account.time_zone,
        "kind": account.kind,
    }
