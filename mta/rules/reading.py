"""Rules out of their rows, for many accounts at once."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from core.errors import MailError
from mailstore import sql
from mta.models import AutoForward, AutoReply, Filter
from mta.rules.kinds import FILTER, FORWARD, REPLY
from mta.rules.terms import Rule, actions_of, conditions_of

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """By account."""

    filters: Mapping[int, list[Rule]]
    replies: Mapping[int, AutoReply]
    forwards: Mapping[int, AutoForward]


def read_rules(ruled: Mapping[int, frozenset[str]]) -> Rules:
    """Everything that these accounts have ruled; a query for each kind that one of them has."""

    def having(kind: str) -> list[int]:
        return [account_id for account_id, kinds in ruled.items() if kind in kinds]

    replies = AutoReply.objects.filter(pk__in=having(REPLY), is_active=True)
    forwards = AutoForward.objects.filter(pk__in=having(FORWARD), is_active=True).select_related("target")
    return Rules(rules_of(having(FILTER)), {row.pk: row for row in replies}, {row.pk: row for row in forwards})


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
