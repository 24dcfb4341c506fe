"""The rules of approval: made, changed and deleted by a domain's administrators; obeyed by the next mail."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models, transaction

from accounts.models import Account, Department, Domain
from accounts.services.permission import apply, audit, require_admin
from core.errors import ErrorKind, MailError
from mta.models import ApprovalRule

FIELDS = frozenset(
    {
        *(
            "name",
            "position",
            "is_active",
            "authors",
            "direction",
            "recipient_domains",
            "keywords",
            "file_types",
            "min_size_kb",
        ),
        *("min_recipients", "approver", "substitute", "remind_after_h", "deadline_h", "on_deadline"),
    }
)
NAMED = ("accounts", "departments")
MANY = frozenset({*NAMED, "exceptions"})
Authors = ApprovalRule.Authors
RULES_MAX = 200
KEYWORDS_MAX = 500
"""Lines of one rule: each is looked for in every mail of its senders."""
HOURS_MAX = 24 * 90


@transaction.atomic
def create_rule(domain: Domain, *, actor: Account | None = None, **given: Any) -> ApprovalRule:
    """Whose mail it speaks of goes by who is named, unless `authors` is given. Raises INVALID (with the field), LIMIT,
    NO_PERMISSION, NOT_FOUND (people and departments of another domain)."""
    require_admin(actor, domain.pk)
    if ApprovalRule.objects.filter(domain=domain).count() >= RULES_MAX:
        raise MailError(ErrorKind.LIMIT, limit=RULES_MAX)
    _check(domain.pk, given)
    given = _with_authors(given, anybody=any(given.get(name) for name in NAMED))
    fields = {name: value for name, value in given.items() if name in FIELDS}
    rule = ApprovalRule.objects.create(domain=domain, **fields)
    _set_many(rule, given)
    audit(actor, "create_approval_rule", domain_id=domain.pk, address=domain.name, rule=rule.name)
    return rule


@transaction.atomic
def update_rule(rule: ApprovalRule, *, actor: Account | None = None, **changes: Any) -> ApprovalRule:
    """As `create_rule`; what waits already stays with who was asked."""
    require_admin(actor, rule.domain_id)
    _check(rule.domain_id, changes)
    if changes.keys() & {"authors", *NAMED}:
        anybody = any(changes[name] if name in changes else getattr(rule, name).exists() for name in NAMED)
        changes = _with_authors(changes, anybody=anybody)
    described = apply(rule, {name: value for name, value in changes.items() if name in FIELDS})
    described |= _set_many(rule, changes)
    if described:
        facts = {"rule": rule.name, "changes": described}
        audit(actor, "update_approval_rule", domain_id=rule.domain_id, address=rule.domain.name, **facts)
    return rule


@transaction.atomic
def delete_rule(rule: ApprovalRule, *, actor: Account | None = None) -> None:
    """What waits already stays with who was asked."""
    require_admin(actor, rule.domain_id)
    audit(actor, "delete_approval_rule", domain_id=rule.domain_id, address=rule.domain.name, rule=rule.name)
    rule.delete()


def _check(domain_id: int, given: dict[str, Any]) -> None:
    unknown = given.keys() - FIELDS - MANY
    if unknown:
        raise MailError(ErrorKind.INVALID, field=", ".join(sorted(unknown)))
    people = [given.get("approver"), given.get("substitute"), *given.get("accounts", ()), *given.get("exceptions", ())]
    placed: list[Account | Department] = [*filter(None, people), *given.get("departments", ())]
    if any(each.domain_id != domain_id for each in placed):
        raise MailError(ErrorKind.NOT_FOUND, field="approver")
    approver = given.get("approver")
    if approver is not None and approver == given.get("substitute"):
        raise MailError(ErrorKind.INVALID, field="substitute")
    if len(str(given.get("keywords", "")).splitlines()) > KEYWORDS_MAX:
        raise MailError(ErrorKind.LIMIT, field="keywords", limit=KEYWORDS_MAX)
    for name in ("remind_after_h", "deadline_h"):
        if not 0 <= int(given.get(name, 0)) <= HOURS_MAX:
            raise MailError(ErrorKind.INVALID, field=name)


def _with_authors(given: dict[str, Any], *, anybody: bool) -> dict[str, Any]:
    """INVALID for everybody and somebody at once, and for nobody."""
    authors = given.get("authors", Authors.NAMED if anybody else Authors.ALL)
    if authors not in Authors.values or (authors == Authors.NAMED) is not anybody:
        raise MailError(ErrorKind.INVALID, field="authors", wrong="both" if anybody else "nobody")
    return given | {"authors": authors}


def _set_many(rule: ApprovalRule, given: dict[str, Any]) -> dict[str, list[str]]:
    described = {}
    for name in MANY & given.keys():
        field = getattr(rule, name)
        before = _names(field.all())
        field.set(given[name])
        after = _names(given[name])
        if before != after:
            described[name] = [before, after]
    return described


def _names(rows: Iterable[models.Model]) -> str:
    return ", ".join(sorted(str(row) for row in rows))
