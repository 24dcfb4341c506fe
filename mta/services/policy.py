"""A domain's mail policy: made with the domain, changed by its administrators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import Account, Domain
from accounts.services.permission import apply, audit, require_admin
from core.errors import ErrorKind, MailError
from mta.models import MailPolicy

CHOICES: dict[str, Sequence[str]] = {
    "dmarc": MailPolicy.Dmarc.values,
    "dangerous_files": MailPolicy.Wish.values,
    "macros": MailPolicy.Wish.values,
    "unscanned": MailPolicy.Unscanned.values,
}
SCORES = ("junk_score", "quarantine_score")
SCORE_MIN, SCORE_MAX = Decimal(1), Decimal(100)
POLICY_FIELDS = frozenset(
    {*CHOICES, *SCORES, "digest", "forwards_outside", "max_filters", "admin_recall", "recall_notice"}
)


def create_policy(domain: Domain) -> None:
    """The defaults, in the transaction that makes the domain."""
    MailPolicy.objects.get_or_create(domain=domain)


@transaction.atomic
def update_mail_policy(domain: Domain, *, actor: Account | None = None, **changes: Any) -> MailPolicy:
    """Change fields of POLICY_FIELDS; obeyed within seconds. Raises INVALID, NO_PERMISSION, NOT_FOUND."""
    require_admin(actor, domain.pk)
    if not changes.keys() <= POLICY_FIELDS:
        raise MailError(ErrorKind.INVALID, field=", ".join(sorted(changes.keys() - POLICY_FIELDS)))
    for name, allowed in CHOICES.items():
        if name in changes and changes[name] not in allowed:
            raise MailError(ErrorKind.INVALID, field=name)
    policy = MailPolicy.objects.select_for_update().get(domain=domain)
    _check_scores(policy, changes)
    described = apply(policy, changes)
    if described:
        audit(actor, "update_mail_policy", domain_id=domain.pk, address=domain.name, changes=described)
    return policy


def _check_scores(policy: MailPolicy, changes: Mapping[str, Any]) -> None:
    """Both within bounds, Junk before quarantine."""
    junk, quarantine = (changes.get(name, getattr(policy, name)) for name in SCORES)
    for name, score in zip(SCORES, (junk, quarantine), strict=True):
        if not SCORE_MIN <= score <= SCORE_MAX:
            raise MailError(ErrorKind.INVALID, field=name)
    if quarantine < junk:
        raise MailError(ErrorKind.INVALID, field="quarantine_score")
