"""What recipients have ruled about their mail: one query for all of them, and nearly always it finds nothing.

It brings the black and white lists, which decide at RCPT, and of everything else only that it exists; what it says is
read when a mail comes (`mta.inbound.arranging`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from accounts.rows import AccountRow
from mailstore import sql
from mta.senders import SenderLists

FILTER = "filter"

_OF_ACCOUNTS = {FILTER: "mta_filter WHERE is_active"}
"""By kind: where the accounts stand that have such a rule, once or several times."""


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """By account, of those that have any."""

    listed: Mapping[int, SenderLists]
    ruled: Mapping[int, frozenset[str]]


NO_STANDING = Standing({}, {})


def standing_of(accounts: Sequence[AccountRow]) -> Standing:
    """One query, raw because every RCPT asks it."""
    if not accounts:
        return NO_STANDING
    ids, domains = [each.id for each in accounts], list({each.domain_id for each in accounts})
    own: dict[int, dict[str, str]] = {}
    company: dict[int, dict[str, str]] = {}
    kinds: dict[int, set[str]] = {}
    for account_id, domain_id, pattern, wish in _rows(ids, domains):
        if not pattern:
            kinds.setdefault(account_id, set()).add(wish)
        else:
            kept = own.setdefault(account_id, {}) if account_id else company.setdefault(domain_id, {})
            kept[pattern] = wish
    lists = {each.id: SenderLists(own.get(each.id, {}), company.get(each.domain_id, {})) for each in accounts}
    return Standing(
        {account_id: found for account_id, found in lists.items() if found},
        {account_id: frozenset(found) for account_id, found in kinds.items()},
    )


def _rows(ids: list[int], domains: list[int]) -> list[Any]:
    of_accounts, of_domains = sql.among("account_id"), sql.among("domain_id")
    parts = [
        "SELECT account_id, domain_id, pattern, wish FROM mta_listedsender "
        f"WHERE {of_accounts} OR (account_id IS NULL AND {of_domains})"
    ]
    values = [sql.numbers(ids), sql.numbers(domains)]
    for kind, condition in _OF_ACCOUNTS.items():
        parts.append(f"SELECT account_id, 0, '', '{kind}' FROM {condition} AND {of_accounts}")
        values.append(sql.numbers(ids))
    return sql.rows(" UNION ALL ".join(parts), values)
