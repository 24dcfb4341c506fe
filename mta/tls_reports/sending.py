"""Yesterday's TLS reports (RFC 8460) to the domains that ask for them, through the ordinary queue.

A report and the deletion of what it tells are one transaction. Only `mailto:` addresses are served; a domain that names
nothing else is told nothing.
"""

from __future__ import annotations

import asyncio
import collections
import datetime
import gzip
import json
import logging
import re
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Account, Domain
from core.access import system_access
from core.errors import MailError
from mailstore.message import Address, Outgoing, OutgoingPart, compose
from mta.authentication.resolver import Resolver, key_of
from mta.models import StsPolicy, Submission, TlsOutcome
from mta.records.wanted import TLS_REPORTS_LOCAL_PART
from mta.services.submit import SubmitRequest, submit
from mta.smtp_in.commands import parse_address

ADDRESSES_MAX = 3
REPORTS_MAX = 500
ROWS_MAX = 2_000
DAY = datetime.timedelta(days=1)

_RECORD = re.compile(r"v=TLSRPTv1\s*;\s*rua=([^;]+?)\s*(?:;.*)?", re.IGNORECASE)

log = logging.getLogger(__name__)


def send_reports(today: datetime.date) -> int:
    """Report every day before `today` (UTC); how many reports were queued."""
    waiting = TlsOutcome.objects.filter(day__lt=today).values_list("day", "domain").distinct()
    sent = 0
    for day, domain in waiting.order_by("day", "domain")[:REPORTS_MAX]:
        try:
            sent += send_report(day, domain)
        except MailError as error:  # one that can't be sent must not keep the others
            log.warning("report not sent", extra={"domain": domain, "error": error.kind.value})
            TlsOutcome.objects.filter(day=day, domain=domain).delete()
    return sent


def send_report(day: datetime.date, domain: str) -> bool:
    """Queue one report and forget what it tells; False when nobody wants it."""
    addresses = asyncio.run(wanted_by(domain)) if settings.TLS_REPORTS else []
    rows = list(TlsOutcome.objects.filter(day=day, domain=domain).order_by("-count")[:ROWS_MAX])
    with transaction.atomic():
        if addresses and rows:
            _queue(day, domain, addresses, rows)
        TlsOutcome.objects.filter(day=day, domain=domain).delete()
    return bool(addresses and rows)


async def wanted_by(domain: str) -> list[str]:
    """The addresses in the domain's record (3); nothing when there is not exactly one record."""
    resolver = Resolver()
    answer = await resolver.ask(key_of(f"_smtp._tls.{domain}", "TXT"))
    texts = [text.decode("ascii", "replace") for text in answer.records if text.startswith(b"v=TLSRPTv1")]
    found = _RECORD.fullmatch(texts[0].strip()) if len(texts) == 1 else None
    uris = [uri.strip() for uri in found[1].split(",")] if found else []
    addresses = [parse_address(uri[7:]) for uri in uris if uri.lower().startswith("mailto:")]
    return [address for address in addresses if address][:ADDRESSES_MAX]


def content(day: datetime.date, domain: str, rows: Sequence[TlsOutcome]) -> dict[str, Any]:
    """The report (4.4): one part for each kind of policy."""
    home = _home()
    begin = datetime.datetime.combine(day, datetime.time.min, datetime.UTC)
    by_policy: dict[str, list[TlsOutcome]] = collections.defaultdict(list)
    for row in rows:
        by_policy[row.facts["policy"]].append(row)
    return {
        "organization-name": settings.EHLO_NAME,
        "date-range": {
            "start-datetime": _time(begin),
            "end-datetime": _time(begin + DAY - datetime.timedelta(seconds=1)),
        },
        "contact-info": f"{TLS_REPORTS_LOCAL_PART}@{home.name}",
        "report-id": f"{begin:%Y-%m-%d}.{domain}@{settings.EHLO_NAME}",
        "policies": [_part(domain, kind, found) for kind, found in sorted(by_policy.items())],
    }


def _part(domain: str, kind: str, rows: Sequence[TlsOutcome]) -> dict[str, Any]:
    policy: dict[str, Any] = {"policy-type": kind, "policy-domain": domain}
    kept = StsPolicy.objects.filter(pk=domain).first() if kind == "sts" else None
    if kept is not None:
        policy["policy-string"] = ["version: STSv1", f"mode: {kept.mode}", *(f"mx: {each}" for each in kept.mx)]
        policy["mx-host"] = kept.mx
    failed = [row for row in rows if row.facts["failure"]]
    return {
        "policy": policy,
        "summary": {
            "total-successful-session-count": sum(row.count for row in rows if not row.facts["failure"]),
            "total-failure-session-count": sum(row.count for row in failed),
        },
        "failure-details": [
            {
                "result-type": row.facts["failure"],
                "receiving-mx-hostname": row.facts["mx"],
                "receiving-ip": row.facts["address"],
                "failed-session-count": row.count,
            }
            for row in failed
        ],
    }


def _time(at: datetime.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _home() -> Domain:
    """The domain in whose name reports go: the installation's first."""
    return Domain.objects.filter(is_active=True).order_by("pk")[0]


def _queue(day: datetime.date, domain: str, addresses: list[str], rows: Sequence[TlsOutcome]) -> None:
    home = _home()
    system = Account.objects.get(domain=home, kind=Account.Kind.SYSTEM)
    report = content(day, domain, rows)
    begin = int(datetime.datetime.combine(day, datetime.time.min, datetime.UTC).timestamp())
    name = f"{settings.EHLO_NAME}!{domain}!{begin}!{begin + 86_399}.json.gz"
    packed = gzip.compress(json.dumps(report).encode(), mtime=0)
    raw = compose(
        Outgoing(
            from_=Address("TLS", f"{TLS_REPORTS_LOCAL_PART}@{home.name}"),
            to=[Address("", address) for address in addresses],
            subject=f"Report Domain: {domain} Submitter: {settings.EHLO_NAME} Report-ID: <{report['report-id']}>",
            text=f"TLS report about {domain} (RFC 8460).\n",
            attachments=[OutgoingPart(name, "application/tlsrpt+gzip", packed)],
            date=timezone.now(),
            extra_headers={
                "Auto-Submitted": "auto-generated",
                "TLS-Report-Domain": domain,
                "TLS-Report-Submitter": settings.EHLO_NAME,
            },
        )
    )
    request = SubmitRequest(
        system.address, addresses, raw, save_to_sent=False, origin=Submission.Origin.SYSTEM, actor_id=system.pk
    )
    submit(system_access(system.pk), request)
