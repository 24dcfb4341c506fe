"""Plain functions that make what a test needs through the real services."""

from __future__ import annotations

from typing import Any

from accounts.models import Account, Domain
from accounts.services import create_account, create_domain

PASSWORD = "correct horse 9"


def make_domain(name: str = "example.test", **fields: Any) -> Domain:
    """The domain of this name, made at its first mention."""
    return Domain.objects.filter(name=name).first() or create_domain(name, **fields)


def make_account(address: str, password: str | None = PASSWORD, **fields: Any) -> Account:
    """An account, in a domain that is made when needed; its name is its local part unless given."""
    local_part, _, name = address.partition("@")
    fields.setdefault("name", local_part.capitalize())
    return create_account(make_domain(name), local_part, password=password, **fields)
