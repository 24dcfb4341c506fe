"""Letting somebody use another mailbox."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Account, MailboxGrant
from accounts.services.permission import audit, require_admin_of
from core.errors import ErrorKind, MailError


@transaction.atomic
def grant_mailbox(owner: Account, grantee: Account, level: str, *, actor: Account | None = None) -> MailboxGrant:
    """Let `grantee` use the mailbox of `owner` (same domain) at `level`; an existing grant is changed.

    The owner himself or an administrator. Raises INVALID for a level or for oneself, NOT_FOUND across domains.
    """
    if actor is None or actor.pk != owner.pk:
        require_admin_of(actor, owner)
    if level not in MailboxGrant.Level.values or owner.pk == grantee.pk:
        raise MailError(ErrorKind.INVALID, field="level")
    if owner.domain_id != grantee.domain_id or Account.Status.ERASED in {owner.status, grantee.status}:
        raise MailError(ErrorKind.NOT_FOUND)
    grant, _ = MailboxGrant.objects.update_or_create(owner=owner, grantee=grantee, defaults={"level": level})
    audit(actor, "grant_mailbox", domain_id=owner.domain_id, address=owner.address, to=grantee.address, level=level)
    return grant


@transaction.atomic
def revoke_mailbox(owner: Account, grantee: Account, *, actor: Account | None = None) -> None:
    """Take a grant back; NOT_FOUND when there is none."""
    if actor is None or actor.pk != owner.pk:
        require_admin_of(actor, owner)
    removed, _ = MailboxGrant.objects.filter(owner=owner, grantee=grantee).delete()
    if not removed:
        raise MailError(ErrorKind.NOT_FOUND)
    audit(actor, "revoke_mailbox", domain_id=owner.domain_id, address=owner.address, to=grantee.address)
