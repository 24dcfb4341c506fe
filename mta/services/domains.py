"""What a domain gets from this layer, in the transaction that makes it; older domains get it from a task."""

from __future__ import annotations

from accounts.models import Account, Address, Domain
from mta.records.wanted import REPORTS_LOCAL_PART, TLS_REPORTS_LOCAL_PART
from mta.services.dkim_keys import create_keys
from mta.services.policy import create_policy


def prepare_domain(domain: Domain) -> None:
    """Its mail policy, its signing keys (a tenth of a second for RSA), its address for reports."""
    create_policy(domain)
    create_keys(domain)
    create_reports_address(domain)


def create_reports_address(domain: Domain) -> None:
    """dmarc-reports@ and tls-reports@ lead to the system account, unless somebody has the names already."""
    system = Account.objects.get(domain=domain, kind=Account.Kind.SYSTEM)
    for local_part in (REPORTS_LOCAL_PART, TLS_REPORTS_LOCAL_PART):
        defaults = {"domain": domain, "account": system, "is_alias": True}
        Address.objects.get_or_create(address=f"{local_part}@{domain.name}", defaults=defaults)
