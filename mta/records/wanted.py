"""What a domain's DNS should say (requirements of the manual's chapter 2, and what mail needs today)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from django.conf import settings

from accounts.models import Domain
from mta.models import DkimKey
from mta.records.sts import policy_id

TTL_S = 3600
FIRST_PRIORITY, NEXT_PRIORITY = 5, 50
HOSTS = ("webmail", "imap", "smtp", "pop", "autoconfig")
SERVICES = (("_submissions._tcp", "SUBMISSIONS_PORT"), ("_imaps._tcp", "IMAPS_PORT"), ("_pop3s._tcp", "POP3S_PORT"))
"""RFC 6186, RFC 8314 5.1."""
REPORTS_LOCAL_PART = "dmarc-reports"
TLS_REPORTS_LOCAL_PART = "tls-reports"


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """One record. `host` is relative to the domain (`@` is itself); `is_required`: mail does not work without it."""

    purpose: str
    host: str
    kind: str
    value: str
    priority: int | None = None
    is_required: bool = True
    ttl_s: int = TTL_S

    def name(self, domain: str) -> str:
        """The full name."""
        return domain if self.host == "@" else f"{self.host}.{domain}"


def wanted_records(domain: Domain) -> list[Wanted]:
    """Every record that `domain` (and each of its other names) should have. One query."""
    return [
        *_exchangers(),
        Wanted("spf", "@", "TXT", spf_value()),
        *_keys(domain),
        Wanted("dmarc", "_dmarc", "TXT", dmarc_value(domain.name), is_required=False),
        Wanted("tls_reports", "_smtp._tls", "TXT", tls_reports_value(domain.name), is_required=False),
        *(Wanted("host", host, "CNAME", settings.PUBLIC_HOST, is_required=host == "webmail") for host in HOSTS),
        *_transport_policy(),
        *_services(),
    ]


def spf_value() -> str:
    """Only our servers send for the domain."""
    if settings.SPF_INCLUDE:
        return f"v=spf1 include:{settings.SPF_INCLUDE} -all"
    return "v=spf1 mx -all"


def dmarc_value(domain: str) -> str:
    """Put forgeries aside, and tell us of them."""
    return f"v=DMARC1; p=quarantine; rua=mailto:{REPORTS_LOCAL_PART}@{domain}"


def tls_reports_value(domain: str) -> str:
    """Tell us when TLS towards us fails (RFC 8460 3)."""
    return f"v=TLSRPTv1; rua=mailto:{TLS_REPORTS_LOCAL_PART}@{domain}"


def _transport_policy() -> Iterator[Wanted]:
    """MTA-STS: that there is a policy, and the host that says it."""
    if settings.MTA_STS_MODE != "none":
        yield Wanted("mta_sts", "_mta-sts", "TXT", f"v=STSv1; id={policy_id()}", is_required=False)
        yield Wanted("host", "mta-sts", "CNAME", settings.PUBLIC_HOST, is_required=False)


def _exchangers() -> Iterator[Wanted]:
    for number, host in enumerate(settings.MX_HOSTS or [settings.EHLO_NAME]):
        yield Wanted("mx", "@", "MX", host, priority=NEXT_PRIORITY if number else FIRST_PRIORITY)


def _keys(domain: Domain) -> Iterator[Wanted]:
    needed = DkimKey.objects.filter(domain=domain).exclude(state=DkimKey.State.RETIRED).order_by("-kind", "selector")
    for key in needed:
        is_required = key.kind == DkimKey.Kind.RSA
        yield Wanted("dkim", f"{key.selector}._domainkey", "TXT", key.public_record, is_required=is_required)


def _services() -> Iterator[Wanted]:
    for service, port in SERVICES:
        value = f"0 1 {getattr(settings, port)} {settings.PUBLIC_HOST}"
        yield Wanted("service", service, "SRV", value, is_required=False)
