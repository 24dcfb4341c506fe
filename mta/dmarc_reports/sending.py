"""Yesterday's reports to the domains that want them, through the ordinary queue, signed like any mail of ours.

A report and the deletion of what it tells are one transaction: a worker that dies sends it again or not at all, never
half. Addresses outside the domain must have agreed to get its reports (RFC 7489 7.1).
"""

from __future__ import annotations

import asyncio
import datetime
import gzip
import logging
import re
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Account, Domain
from core.access import system_access
from core.errors import MailError
from mailstore.message import Address, Outgoing, OutgoingPart, compose
from mta.authentication.dmarc import organisational_domain
from mta.authentication.resolver import Resolver, key_of
from mta.dmarc_reports import xml
from mta.models import DmarcObservation, Submission
from mta.records.wanted import REPORTS_LOCAL_PART
from mta.services.submit import SubmitRequest, submit
from mta.smtp_in.commands import parse_address

ADDRESSES_MAX = 3
REPORTS_MAX = 500
"""Domains of one run; the next hour goes on."""
DAY_S = 86_400

_URI = re.compile(r"mailto:([^!\s]+)(?:!(\d{1,9})([kmgt]?))?", re.IGNORECASE)
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}

log = logging.getLogger(__name__)


def send_reports(today: datetime.date) -> int:
    """Report every day before `today` (UTC); how many reports were queued."""
    waiting = DmarcObservation.objects.filter(day__lt=today).values_list("day", "domain").distinct()
    sent = 0
    for day, domain in waiting.order_by("day", "domain")[:REPORTS_MAX]:
        try:
            sent += send_report(day, domain)
        except MailError as error:  # one that can't be sent must not keep the others
            log.warning("report not sent", extra={"domain": domain, "error": error.kind.value})
            DmarcObservation.objects.filter(day=day, domain=domain).delete()
    return sent


def send_report(day: datetime.date, domain: str) -> bool:
    """Queue one report and forget what it tells; False when nobody may have it."""
    rows = list(DmarcObservation.objects.filter(day=day, domain=domain).order_by("-count")[: xml.ROWS_MAX])
    wanted = rows[0].facts["report_to"] if rows else []
    content, name = _content(day, domain, [(row.facts, row.count) for row in rows])
    addresses = asyncio.run(accepted_addresses(domain, wanted, len(content))) if rows else []
    with transaction.atomic():
        if addresses:
            _queue(domain, addresses, content, name)
        DmarcObservation.objects.filter(day=day, domain=domain).delete()
    return bool(addresses)


async def accepted_addresses(domain: str, uris: Sequence[str], size_bytes: int) -> list[str]:
    """The addresses of rua= that may have a report of this size about `domain`."""
    resolver = Resolver()
    found = []
    for uri in uris[:ADDRESSES_MAX]:
        match = _URI.fullmatch(uri)
        address = parse_address(match[1]) if match else None
        limit = int(match[2]) * _UNITS[match[3].lower()] if match and match[2] else size_bytes
        if address and size_bytes <= limit and await _has_agreed(resolver, domain, address.rpartition("@")[2]):
            found.append(address)
    return found


async def _has_agreed(resolver: Resolver, domain: str, host: str) -> bool:
    if organisational_domain(host) == organisational_domain(domain):
        return True
    answer = await resolver.ask(key_of(f"{domain}._report._dmarc.{host}", "TXT"))
    return any(record.startswith(b"v=DMARC1") for record in answer.records)


def _content(day: datetime.date, domain: str, facts: list[tuple[dict[str, object], int]]) -> tuple[bytes, str]:
    """The gzipped report and its file name (7.2.1.1)."""
    begin = int(datetime.datetime.combine(day, datetime.time.min, datetime.UTC).timestamp())
    period = (begin, begin + DAY_S - 1)
    name = f"{settings.EHLO_NAME}!{domain}!{period[0]}!{period[1]}.xml.gz"
    if not facts:
        return b"", name
    content = xml.write(facts, report_id=_report_id(domain, begin), reporter=_reporter(), period=period)
    return gzip.compress(content, mtime=0), name


def _report_id(domain: str, begin: int) -> str:
    return f"{begin}.{domain}@{settings.EHLO_NAME}"


def _reporter() -> tuple[str, str]:
    return settings.EHLO_NAME, f"{REPORTS_LOCAL_PART}@{_home().name}"


def _home() -> Domain:
    """The domain in whose name reports go: the installation's first."""
    return Domain.objects.filter(is_active=True).order_by("pk")[0]


def _queue(domain: str, addresses: list[str], content: bytes, name: str) -> None:
    home = _home()
    system = Account.objects.get(domain=home, kind=Account.Kind.SYSTEM)
    report_id = name.removesuffix(".xml.gz")
    raw = compose(
        Outgoing(
            from_=Address("DMARC", f"{REPORTS_LOCAL_PART}@{home.name}"),
            to=[Address("", address) for address in addresses],
            subject=f"Report Domain: {domain} Submitter: {settings.EHLO_NAME} Report-ID: <{report_id}>",
            text=f"DMARC aggregate report about {domain} (RFC 7489).\n",
            attachments=[OutgoingPart(name, "application/gzip", content)],
            date=timezone.now(),
            extra_headers={"Auto-Submitted": "auto-generated"},
        )
    )
    request = SubmitRequest(
        system.address, addresses, raw, save_to_sent=False, origin=Submission.Origin.SYSTEM, actor_id=system.pk
    )
    submit(system_access(system.pk), request)
