"""Who may set what an account wants done with its mail."""

from __future__ import annotations

from accounts.models import Account
from accounts.services.permission import require_admin


def require_owner(actor: Account | None, account: Account) -> None:
    """The account itself, an administrator of its domain, or the system. Raises NO_PERMISSION, NOT_FOUND."""
    if actor is None or actor.pk != account.pk:
        require_admin(actor, account.domain_id)
