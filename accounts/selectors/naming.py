"""Who is behind the addresses of a log or a form: names and departments, for the people of a company."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from accounts.addressing import Parts, parse
from accounts.domain_names import domain_named
from accounts.models import Account, Address
from accounts.rows import Named

MAX_NAMED = 1_000
"""Addresses of a page that are looked up; the others keep their addresses."""


def named(addresses: Iterable[str], domain_ids: Collection[int], *, hidden: bool = False) -> dict[str, Named]:
    """Who has these addresses in the domains `domain_ids`, by each address as it was given, in lower case: people whom the directory
    shows (with `hidden`, all of them), suspended ones too, and groups. Aliases, tags and aliases of domains count. One query.
    """
    given = _canonical(addresses, domain_ids)
    wanted = {parts.address for parts in given.values()} | {parts.untagged.address for parts in given.values()}
    if not wanted:
        return {}
    found = {row.address: _named(row, hidden=hidden) for row in _rows(wanted, domain_ids)}
    names = {text: found.get(parts.address) or found.get(parts.untagged.address) for text, parts in given.items()}
    return {text: name for text, name in names.items() if name is not None}


def _canonical(addresses: Iterable[str], domain_ids: Collection[int]) -> dict[str, Parts]:
    """The addresses that can be somebody's of ours, under the main names of their domains."""
    found: dict[str, Parts] = {}
    for text in dict.fromkeys(address.lower() for address in addresses):
        parts = parse(text)
        domain = domain_named(parts.domain) if parts else None
        if parts is not None and domain is not None and domain.id in domain_ids:
            found[text] = Parts(parts.local_part, domain.name)
        if len(found) == MAX_NAMED:
            break
    return found


def _rows(wanted: Collection[str], domain_ids: Collection[int]) -> Iterable[Address]:
    rows = Address.objects.filter(address__in=wanted, domain__in=domain_ids)
    return rows.exclude(account__status=Account.Status.ERASED).select_related("account__department", "group")


def _named(row: Address, *, hidden: bool) -> Named | None:
    if row.account is None:
        return Named(row.group.name, "") if row.group else None
    department = row.account.department
    if not hidden and (row.account.is_hidden or (department is not None and department.is_hidden)):
        return None
    return Named(row.account.name, department.name if department else "")
