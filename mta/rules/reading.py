"""Rules out of their rows, for many accounts at once."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from core.errors import MailError
from mailstore import sql
from mta.models import Filter
from mta.rules.terms import Rule, actions_of, conditions_of

log = logging.getLogger(__name__)


def rules_of(account_ids: Collection[int]) -> Mapping[int, list[Rule]]:
    """The filters that are on, in their order, by account; one query, none for nobody."""
    found: dict[int, list[Rule]] = {}
    if not account_ids:
        return found
    for row in Filter.objects.filter(account_id__in=account_ids, is_active=True).order_by("position", "pk"):
        rule = rule_of(row)
        if rule is not None:
            found.setdefault(row.account_id, []).append(rule)
    return found


def rule_of(row: Filter) -> Rule | None:
    """A row ready to be asked; None when it can't be read (it was written by hand)."""
    try:
        conditions, actions = conditions_of(row.conditions), actions_of(row.actions)
    except MailError:
        log.warning("filter can't be read", extra={"filter": row.pk})
        return None
    return Rule(row.pk, row.name, row.joined == Filter.Joined.ANY, conditions, actions, row.stops)


def existing_folders(folder_ids: Iterable[int]) -> set[tuple[int, int]]:
    """Those that are there, each with its mailbox; no query for none."""
    wanted = list(folder_ids)
    if not wanted:
        return set()
    query = f"SELECT id, mailbox_id FROM mailstore_folder WHERE {sql.among('id')}"
    rows: list[Any] = sql.rows(query, [sql.numbers(wanted)])
    return {(folder_id, mailbox) for folder_id, mailbox in rows}
