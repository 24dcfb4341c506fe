"""Ruling what mail programs may do."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Account, Domain, ProgramRule
from accounts.program_rules import canonical_networks
from accounts.services.permission import apply, audit, require_admin, require_admin_of
from core.errors import ErrorKind, MailError


@transaction.atomic
def set_program_rule(
    domain: Domain,
    account: Account | None,
    *,
    imap: bool = True,
    pop3: bool = True,
    smtp: bool = True,
    networks: str = "",
    actor: Account | None = None,
) -> ProgramRule:
    """Make or change the rule of an account, or of the domain's every account (None). It counts from the next sign-in.

    Raises INVALID or LIMIT for `networks`, NOT_FOUND for an account of another domain."""
    if account is None:
        require_admin(actor, domain.pk)
    elif account.domain_id != domain.pk:
        raise MailError(ErrorKind.NOT_FOUND)
    else:
        require_admin_of(actor, account)
    rule, _ = ProgramRule.objects.get_or_create(domain=domain, account=account)
    wanted = {"imap": imap, "pop3": pop3, "smtp": smtp, "networks": canonical_networks(networks)}
    changes = apply(rule, wanted)
    audit(actor, "set_program_rule", domain_id=domain.pk, address=str(rule), changes=changes)
    return rule


@transaction.atomic
def remove_program_rule(rule: ProgramRule, *, actor: Account | None = None) -> None:
    """Nothing is forbidden by it any more; the domain's rule counts again for an account that had its own."""
    if rule.account is None:
        require_admin(actor, rule.domain_id)
    else:
        require_admin_of(actor, rule.account)
    address = str(rule)
    rule.delete()
    audit(actor, "remove_program_rule", domain_id=rule.domain_id, address=address)
