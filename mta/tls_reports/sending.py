"""Yesterday's TLS reports (RFC 8460) to the domains that ask for them.

By mail to `mailto:` addresses and by POST to `https:` ones (RFC 8460 5.3), both where both are named. What a domain has
that can't be reached at all is tried again with the next run.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import datetime
import gzip
import json
import logging
import re
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction

from core import net
from core.errors import ErrorKind, MailError
from mailstore.message import Address
from mta import daily_reports
from mta.authentication.resolver import Resolver, Status, key_of
from mta.models import StsPolicy, TlsOutcome
from mta.records.wanted import TLS_REPORTS_LOCAL_PART
from mta.smtp_in.commands import parse_address

ROWS_MAX = 2_000
POST_S = 20.0
MEDIA_TYPE = "application/tlsrpt+gzip"

log = logging.getLogger(__name__)

_RECORD = re.compile(r"v=TLSRPTv1\s*;\s*rua=([^;]+?)\s*(?:;.*)?", re.IGNORECASE)


def send_reports(today: datetime.date) -> int:
    """Report every day before `today` (UTC); how many reports were queued."""
    return daily_reports.send_waiting(TlsOutcome, today, send_report)


def send_report(day: datetime.date, domain: str) -> bool:
    """Queue one report and forget what it tells; False when nobody wants it."""
    wanted = asyncio.run(wanted_by(domain)) if settings.TLS_REPORTS else NOBODY
    rows = list(TlsOutcome.objects.filter(day=day, domain=domain).order_by("-count")[:ROWS_MAX])
    is_wanted = bool(rows and (wanted.addresses or wanted.urls))
    told = content(day, domain, rows) if is_wanted else {}
    packed = gzip.compress(json.dumps(told).encode(), mtime=0)
    # A process that is killed after this posts the report again, under the same report-id.
    if is_wanted and not _post(wanted.urls, packed) and not wanted.addresses:
        raise MailError(ErrorKind.UNAVAILABLE, domain=domain)
    with transaction.atomic():
        if is_wanted and wanted.addresses:
            _queue(day, domain, wanted.addresses, told["report-id"], packed)
        TlsOutcome.objects.filter(day=day, domain=domain).delete()
    return is_wanted


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """Where a domain wants its reports."""

    addresses: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


NOBODY = Wanted()


async def wanted_by(domain: str) -> Wanted:
    """What the domain's record names (3); nothing when there is not exactly one record. UNAVAILABLE when the DNS
    doesn't say."""
    resolver = Resolver()
    answer = await resolver.ask(key_of(f"_smtp._tls.{domain}", "TXT"))
    if answer.status is Status.FAILED:
        raise MailError(ErrorKind.UNAVAILABLE)
    texts = [text.decode("ascii", "replace") for text in answer.records if text.startswith(b"v=TLSRPTv1")]
    found = _RECORD.fullmatch(texts[0].strip()) if len(texts) == 1 else None
    uris = [uri.strip() for uri in found[1].split(",")] if found else []
    addresses = [parse_address(uri[7:]) for uri in uris if uri.lower().startswith("mailto:")]
    urls = [uri for uri in uris if uri.lower().startswith("https://")]
    known = [address for address in addresses if address]
    return Wanted(tuple(known[: daily_reports.ADDRESSES_MAX]), tuple(urls[: daily_reports.ADDRESSES_MAX]))


def _post(urls: Sequence[str], packed: bytes) -> bool:
    """Whether somebody took it."""
    taken = False
    for url in urls:
        try:
            net.post(url, packed, content_type=MEDIA_TYPE, timeout_s=POST_S)
            taken = True
        except MailError as error:
            log.warning("report not taken", extra={"url": url, "why": str(error.data)})
    return taken


def content(day: datetime.date, domain: str, rows: Sequence[TlsOutcome]) -> dict[str, Any]:
    """The report (4.4): one part for each kind of policy."""
    begin = datetime.datetime.combine(day, datetime.time.min, datetime.UTC)
    by_policy: dict[str, list[TlsOutcome]] = collections.defaultdict(list)
    for row in rows:
        by_policy[row.facts["policy"]].append(row)
    return {
        "organization-name": settings.EHLO_NAME,
        "date-range": {
            "start-datetime": _time(begin),
            "end-datetime": _time(begin + datetime.timedelta(days=1, seconds=-1)),
        },
        "contact-info": _author().address,
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


def _author() -> Address:
    return Address("TLS", f"{TLS_REPORTS_LOCAL_PART}@{daily_reports.home().name}")


def _queue(day: datetime.date, domain: str, addresses: Sequence[str], report_id: str, packed: bytes) -> None:
    report = daily_reports.Report(
        domain=domain,
        author=_author(),
        report_id=report_id,
        name=daily_reports.file_name(day, domain),
        ending="json",
        media_type=MEDIA_TYPE,
        text=f"TLS report about {domain} (RFC 8460).\n",
        packed=packed,
        headers={"TLS-Report-Domain": domain, "TLS-Report-Submitter": settings.EHLO_NAME},
    )
    daily_reports.queue(report, addresses)
