"""A domain's sending policy: read by every mail, changed by its administrators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.models import Account, Domain
from accounts.services.permission import apply, audit, require_admin
from core.errors import ErrorKind, MailError
from core.prepared import Prepared
from documents.html.send import clean_for_sending
from mta.models import SendPolicy
from mta.smtp_in.commands import parse_address

_POLICY = Prepared(lambda domain_id: SendPolicy.objects.filter(pk=domain_id))
RATES = ("hourly_recipients", "daily_recipients", "daily_strangers", "pool_strangers", "stop_strangers")
NO_RATES: Mapping[str, Any] = dict.fromkeys(RATES, 0)
FIELDS = frozenset(
    {
        *(
            "footer_on",
            "footer_text",
            "footer_html",
            "journal_address",
            "journals_incoming",
            "banned_files",
            "scan_viruses",
        ),
        *RATES,
    }
)


def send_policy(domain_id: int) -> SendPolicy:
    """The stored policy, or what holds for a domain that has chosen nothing; one query."""
    return _POLICY.first(domain_id) or SendPolicy(domain_id=domain_id)


@transaction.atomic
def set_send_policy(domain: Domain, *, actor: Account | None = None, **changes: Any) -> SendPolicy:
    """Change fields of FIELDS; obeyed by the next mail. Raises INVALID, NO_PERMISSION, NOT_FOUND."""
    require_admin(actor, domain.pk)
    if not changes.keys() <= FIELDS:
        raise MailError(ErrorKind.INVALID, field=", ".join(sorted(changes.keys() - FIELDS)))
    if changes.get("footer_on", SendPolicy.Footer.NONE) not in SendPolicy.Footer.values:
        raise MailError(ErrorKind.INVALID, field="footer_on")
    journal = changes.get("journal_address", "")
    if journal and parse_address(journal) is None:
        raise MailError(ErrorKind.INVALID, field="journal_address")
    if "footer_html" in changes:
        changes["footer_html"] = clean_for_sending(changes["footer_html"])
    policy, _is_new = SendPolicy.objects.get_or_create(domain=domain)
    described = apply(policy, changes)
    if described:
        audit(actor, "set_send_policy", domain_id=domain.pk, address=domain.name, changes=described)
    return policy
