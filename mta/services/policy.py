"""A domain's mail policy: made with the domain, changed by its administrators."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import Account, Domain
from accounts.services.permission import apply, audit, require_admin
from core.errors import ErrorKind, MailError
from mta.models import MailPolicy

POLICY_FIELDS = frozenset({"dmarc", "max_filters"})


def create_policy(domain: Domain) -> None:
    """The defaults, in the transaction that makes the domain."""
    MailPolicy.objects.get_or_create(domain=domain)


@transaction.atomic
def update_mail_policy(domain: Domain, *, actor: Account | None = None, **changes: Any) -> MailPolicy:
    """Change fields of POLICY_FIELDS; obeyed within seconds. Raises INVALID, NO_PERMISSION, NOT_FOUND."""
    require_admin(actor, domain.pk)
    if not changes.keys() <= POLICY_FIELDS:
        raise MailError(ErrorKind.INVALID, field=", ".join(sorted(changes.keys() - POLICY_FIELDS)))
    if changes.get("dmarc", MailPolicy.Dmarc.OBEY) not in MailPolicy.Dmarc.values:
        raise MailError(ErrorKind.INVALID, field="dmarc")
    policy = MailPolicy.objects.select_for_update().get(domain=domain)
    described = apply(policy, changes)
    if described:
        audit(actor, "update_mail_policy", domain_id=domain.pk, address=domain.name, changes=described)
    return policy
