"""Who may administer what, and the record of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models

from accounts.models import Account
from core.errors import ErrorKind, MailError
from logs_app.models import Kind
from logs_app.services import record


def require_admin(actor: Account | None, domain_id: int) -> None:
    """An administrator of that domain, or the system. Strangers find nothing; members are refused."""
    if actor is None or actor.is_superuser:
        return
    if actor.domain_id != domain_id:
        raise MailError(ErrorKind.NOT_FOUND)
    if not actor.is_staff:
        raise MailError(ErrorKind.NO_PERMISSION)


def require_operator(actor: Account | None) -> None:
    """The system operator, or the system."""
    if actor is not None and not actor.is_superuser:
        raise MailError(ErrorKind.NO_PERMISSION)


def require_admin_of(actor: Account | None, account: Account) -> None:
    """As `require_admin`; an operator's account is changed by operators alone, whoever runs his domain."""
    require_admin(actor, account.domain_id)
    if account.is_operator:
        require_operator(actor)


def audit(actor: Account | None, action: str, *, domain_id: int, address: str, **facts: object) -> None:
    """Record an administrative act in the caller's transaction."""
    record(
        Kind.ADMIN,
        domain_id=domain_id,
        account_id=actor.pk if actor else None,
        address=address,
        actor=actor.address if actor else "system",
        data={"action": action, **{name: value for name, value in facts.items() if value not in (None, "", {}, [])}},
    )


def apply(row: models.Model, changes: Mapping[str, Any]) -> dict[str, list[str]]:
    """Set and save the fields that differ; answers field → [old, new] for the record."""
    differing = {name: value for name, value in changes.items() if getattr(row, name) != value}
    described = {name: [_shown(getattr(row, name)), _shown(value)] for name, value in differing.items()}
    for name, value in differing.items():
        setattr(row, name, value)
    if differing:
        row.save(update_fields=list(differing))
    return described


def _shown(value: object) -> str:
    return "" if value is None else str(value)
