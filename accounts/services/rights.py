"""Ruling what an account may do."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import Account, AccountRights
from accounts.program_rules import canonical_networks
from accounts.services.permission import apply, audit, require_admin_of
from core.errors import ErrorKind, MailError

NUMBERS = ("max_recipients", "message_max_bytes", "attachment_max_bytes")
RIGHTS_FIELDS = ("web", "networks", "sends_outside", "receives_outside", *NUMBERS)
"""In the order of forms."""


@transaction.atomic
def set_rights(account: Account, *, actor: Account | None = None, **fields: Any) -> AccountRights:
    """Set fields of RIGHTS_FIELDS; the others keep what they were. It counts from the next mail and the next sign-in; who
    may no longer sign in to the pages is signed out of them.

    Raises INVALID or LIMIT (with `field`), IN_USE for locking oneself out, NO_PERMISSION, NOT_FOUND.
    """
    require_admin_of(actor, account)
    if not fields.keys() <= set(RIGHTS_FIELDS):
        raise MailError(ErrorKind.INVALID, field=", ".join(sorted(fields.keys() - set(RIGHTS_FIELDS))))
    for name in NUMBERS:
        value = fields.get(name)
        if value is not None and value < 1:
            raise MailError(ErrorKind.INVALID, field=name)
    if actor is not None and actor.pk == account.pk and not fields.get("web", True):
        raise MailError(ErrorKind.IN_USE, field="web")
    if "networks" in fields:
        fields["networks"] = canonical_networks(fields["networks"])
    Account.objects.select_for_update().get(pk=account.pk)
    rights = AccountRights.objects.filter(pk=account.pk).first() or AccountRights.objects.create(account=account)
    described = apply(rights, fields)
    if "web" in described and not rights.web:
        fresh = Account.objects.get(pk=account.pk)
        apply(fresh, {"session_version": fresh.session_version + 1})
    if described:
        audit(actor, "set_rights", domain_id=account.domain_id, address=account.address, changes=described)
    return rights


@transaction.atomic
def remove_rights(rights: AccountRights, *, actor: Account | None = None) -> None:
    """Everything is allowed again, within the domain's limits. Raises NO_PERMISSION, NOT_FOUND."""
    require_admin_of(actor, rights.account)
    audit(actor, "remove_rights", domain_id=rights.account.domain_id, address=rights.account.address)
    rights.delete()
