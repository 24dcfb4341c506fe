"""Filters are made, changed, put in order, taken away; by their owner or his administrator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts.models import Account
from accounts.services.permission import apply, audit
from core.access import system_access
from core.errors import ErrorKind, MailError
from mailstore.models import Role
from mailstore.selectors.folders import folder_tree
from mailstore.selectors.keywords import keywords
from mta.models import Filter, MailPolicy
from mta.rules.terms import Action, Do, actions_of, conditions_of, refuse
from mta.services.forwards import may_use_target
from mta.services.owners import require_owner

FILTER_FIELDS = frozenset({"name", "is_active", "joined", "conditions", "actions", "stops", "position"})
NO_TARGETS = frozenset({Role.DRAFTS, Role.SENT, Role.MONITOR})


@transaction.atomic
def create_filter(
    account: Account, name: str, *, conditions: Any, actions: Any, actor: Account | None = None, **more: Any
) -> Filter:
    """A filter behind those that are there; obeyed within a second. `more`: other FILTER_FIELDS.

    Raises INVALID (with `field`, and of a line `number` and `wrong`), LIMIT (the domain's), NO_PERMISSION, NOT_FOUND.
    """
    require_owner(actor, account)
    Account.objects.select_for_update().get(pk=account.pk)
    limit = MailPolicy.objects.filter(domain=account.domain_id).values_list("max_filters", flat=True).first()
    filters = Filter.objects.filter(account=account)
    if limit is not None and filters.count() >= limit:
        raise MailError(ErrorKind.LIMIT, limit=limit)
    last = filters.aggregate(last=Max("position"))["last"]
    wanted = {"position": 0 if last is None else last + 1, **more, "name": name}
    wanted |= {"conditions": conditions, "actions": actions}
    _require_valid(account, wanted)
    made = Filter.objects.create(account=account, **_clean(wanted))
    _audit(actor, "create_filter", made)
    return made


@transaction.atomic
def update_filter(row: Filter, *, actor: Account | None = None, **changes: Any) -> Filter:
    """Change fields of FILTER_FIELDS. Raises as `create_filter`."""
    require_owner(actor, row.account)
    fresh = Filter.objects.select_for_update(of=("self",)).select_related("account").get(pk=row.pk)
    _require_valid(fresh.account, changes)
    if apply(fresh, _clean(changes)):
        _audit(actor, "update_filter", fresh)
    return fresh


@transaction.atomic
def delete_filter(row: Filter, *, actor: Account | None = None) -> None:
    """Take it away; mail stays where it is. Raises NO_PERMISSION, NOT_FOUND."""
    require_owner(actor, row.account)
    _audit(actor, "delete_filter", row)
    row.delete()


@transaction.atomic
def order_filters(account: Account, filter_ids: Sequence[int], *, actor: Account | None = None) -> None:
    """Put the filters in this order; those that are not named follow as they were. NOT_FOUND for another's."""
    require_owner(actor, account)
    known = {row.pk: row for row in Filter.objects.select_for_update().filter(account=account)}
    if not set(filter_ids) <= known.keys():
        raise MailError(ErrorKind.NOT_FOUND)
    for position, pk in enumerate(dict.fromkeys([*filter_ids, *known])):
        if known[pk].position != position:
            known[pk].position = position
            known[pk].save(update_fields=["position"])


def troubles_of(row: Filter) -> list[str]:
    """What no longer works: `folder`, `label` (gone: the mail goes to the inbox, without the label), `form`."""
    try:
        actions = actions_of(row.actions)
        conditions_of(row.conditions)
    except MailError:
        return ["form"]
    folders, labels = _targets(row.account)
    gone = ["folder" for action in actions if action.do is Do.MOVE and action.target not in folders]
    return gone + ["label" for action in actions if action.do is Do.LABEL and action.target not in labels]


def _clean(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | ({"name": str(fields["name"]).strip()} if "name" in fields else {})


def _require_valid(account: Account, fields: dict[str, Any]) -> None:
    unknown = fields.keys() - FILTER_FIELDS
    if unknown:
        raise MailError(ErrorKind.INVALID, field=", ".join(sorted(unknown)))
    name = str(fields.get("name", "x")).strip()
    if not name or len(name) > 100 or not name.isprintable():
        raise MailError(ErrorKind.INVALID, field="name")
    if fields.get("joined", Filter.Joined.ALL) not in Filter.Joined.values:
        raise MailError(ErrorKind.INVALID, field="joined")
    if "conditions" in fields:
        conditions_of(fields["conditions"])
    if "actions" in fields:
        _require_possible(account, actions_of(fields["actions"]))


def _require_possible(account: Account, actions: Sequence[Action]) -> None:
    folders, labels = _targets(account)
    for number, action in enumerate(actions):
        if action.do is Do.MOVE and action.target not in folders:
            refuse("actions", number, "folder")
        if action.do is Do.LABEL and action.target not in labels:
            refuse("actions", number, "label")
        if action.do is Do.FORWARD and not may_use_target(account, str(action.target)):
            refuse("actions", number, "forward")


def _targets(account: Account) -> tuple[set[int], set[int]]:
    """Folders that mail may be filed into, and labels."""
    access = system_access(account.pk)
    folders = {row.id for row in folder_tree(access) if not row.is_read_only and row.role not in NO_TARGETS}
    return folders, {row.id for row in keywords(access) if row.label}


def _audit(actor: Account | None, act: str, row: Filter) -> None:
    if actor is None or actor.pk != row.account_id:  # one's own filters are no administrative act
        audit(actor, act, domain_id=row.account.domain_id, address=row.account.address, name=row.name)
