"""Yesterday's reports to the domains that want them. Addresses outside the domain must have agreed to get its reports
(RFC 7489 7.1).
"""

from __future__ import annotations

import asyncio
import datetime
import gzip
import re
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction

from core.errors import ErrorKind, MailError
from mailstore.message import Address
from mta import daily_reports
from mta.authentication.dmarc import organisational_domain
from mta.authentication.resolver import Resolver, Status, key_of
from mta.dmarc_reports import xml
from mta.models import DmarcObservation
from mta.records.wanted import REPORTS_LOCAL_PART
from mta.smtp_in.commands import parse_address

_URI = re.compile(r"mailto:([^!\s]+)(?:!(\d{1,9})([kmgt]?))?", re.IGNORECASE)
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def send_reports(today: datetime.date) -> int:
    """Report every day before `today` (UTC); how many reports were queued."""
    return daily_reports.send_waiting(DmarcObservation, today, send_report)


def send_report(day: datetime.date, domain: str) -> bool:
    """Queue one report and forget what it tells; False when nobody may have it."""
    rows = list(DmarcObservation.objects.filter(day=day, domain=domain).order_by("-count")[: xml.ROWS_MAX])
    report = _report(day, domain, rows) if rows else None
    addresses = []
    if report is not None:
        addresses = asyncio.run(accepted_addresses(domain, rows[0].facts["report_to"], len(report.packed)))
    with transaction.atomic():
        if report is not None and addresses:
            daily_reports.queue(report, addresses)
        DmarcObservation.objects.filter(day=day, domain=domain).delete()
    return bool(addresses)


async def accepted_addresses(domain: str, uris: Sequence[str], size_bytes: int) -> list[str]:
    """The addresses of rua= that may have a report of this size about `domain`; UNAVAILABLE when the DNS doesn't say."""
    resolver = Resolver()
    found = []
    for uri in uris[: daily_reports.ADDRESSES_MAX]:
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
    if answer.status is Status.FAILED:
        raise MailError(ErrorKind.UNAVAILABLE)
    return any(record.startswith(b"v=DMARC1") for record in answer.records)


def _report(day: datetime.date, domain: str, rows: Sequence[DmarcObservation]) -> daily_reports.Report:
    begin = daily_reports.begin_s(day)
    author = Address("DMARC", f"{REPORTS_LOCAL_PART}@{daily_reports.home().name}")
    content = xml.write(
        [(row.facts, row.count) for row in rows],
        report_id=f"{begin}.{domain}@{settings.EHLO_NAME}",
        reporter=(settings.EHLO_NAME, author.address),
        period=(begin, begin + daily_reports.DAY_S - 1),
    )
    name = daily_reports.file_name(day, domain)
    return daily_reports.Report(
        domain=domain,
        author=author,
        report_id=name,
        name=name,
        ending="xml",
        media_type="application/gzip",
        text=f"DMARC aggregate report about {domain} (RFC 7489).\n",
        packed=gzip.compress(content, mtime=0),
    )
