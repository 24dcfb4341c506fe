"""What DMARC's and TLS's daily reports share: counts of what looked the same in a day, and telling them to other domains
through the ordinary queue, signed like any mail of ours, in the name of the installation's first domain.

A report and the deletion of what it tells are one transaction: a worker that dies sends it again or not at all, never
half.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence

from django.conf import settings
from django.utils import timezone

from accounts.models import Account, Domain
from core.access import system_access
from core.bulk import executed
from core.errors import ErrorKind, MailError
from mailstore.message import Address, Outgoing, OutgoingPart, compose
from mta.models import Submission
from mta.models.daily import DailyCount
from mta.services.submit import SubmitRequest, submit

ADDRESSES_MAX = 3
"""Of one domain."""
REPORTS_MAX = 500
"""Domains of one run; the next hour goes on."""
WAITING_MAX = 50_000
"""Of which those of one run are drawn."""
KEPT_DAYS = 2
DAY_S = 86_400

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """One report as a mail: its file is `name`.`ending`.gz (RFC 7489 7.2.1.1, RFC 8460 5.1)."""

    domain: str
    """Whom it is about."""
    author: Address
    report_id: str
    name: str
    ending: str
    media_type: str
    text: str
    packed: bytes
    """Gzipped."""
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


def count(model: type[DailyCount], seen: Iterable[tuple[str, str, Mapping[str, object], int]]) -> None:
    """Add (day, domain, facts, number) to the rows inside the caller's transaction. Rows are locked in one order for
    all processes."""
    rows = [(day, domain, json.dumps(_clean(facts), sort_keys=True), number) for day, domain, facts, number in seen]
    table = model._meta.db_table
    statement = (
        f"INSERT INTO {table} (day, domain, digest, facts, count) VALUES (%s, %s, %s, %s, %s) "
        f"ON CONFLICT (day, domain, digest) DO UPDATE SET count = {table}.count + EXCLUDED.count"
    )
    for day, domain, facts, number in sorted(rows):
        digest = hashlib.sha256(facts.encode()).digest()
        with executed(statement, [day, domain, digest, facts, number]):
            pass


def _clean(value: object) -> object:
    """Strangers wrote this: without NUL and half characters, which PostgreSQL's JSON does not hold."""
    if isinstance(value, str):
        return "".join(letter for letter in value if letter.isprintable())
    if isinstance(value, Mapping):
        return {key: _clean(each) for key, each in value.items()}
    return [_clean(each) for each in value] if isinstance(value, list | tuple) else value


def send_waiting(model: type[DailyCount], today: datetime.date, send: Callable[[datetime.date, str], bool]) -> int:
    """Have `send` report every day before `today` (UTC); how many reports were queued.

    `send` raises UNAVAILABLE when it can't know now who wants the report: it is tried again in later runs, for
    `KEPT_DAYS`. One that can't be sent never keeps the others.
    """
    waiting = list(model._default_manager.filter(day__lt=today).values_list("day", "domain").distinct()[:WAITING_MAX])
    sent = 0
    for day, domain in random.sample(waiting, min(len(waiting), REPORTS_MAX)):  # no fixed ones hold up the others
        try:
            sent += send(day, domain)
        except MailError as error:
            if error.kind is ErrorKind.UNAVAILABLE and (today - day).days <= KEPT_DAYS:
                continue
            log.warning("report not sent", extra={"domain": domain, "error": error.kind.value})
            model._default_manager.filter(day=day, domain=domain).delete()
    return sent


def home() -> Domain:
    """The domain in whose name reports go: the installation's first."""
    return Domain.objects.filter(is_active=True).order_by("pk")[0]


def begin_s(day: datetime.date) -> int:
    """When the day begins, in seconds since the epoch; reports speak of days in UTC."""
    return int(datetime.datetime.combine(day, datetime.time.min, datetime.UTC).timestamp())


def file_name(day: datetime.date, domain: str) -> str:
    """A report's file without its endings."""
    begin = begin_s(day)
    return f"{settings.EHLO_NAME}!{domain}!{begin}!{begin + DAY_S - 1}"


def queue(report: Report, addresses: Sequence[str]) -> None:
    """Queue the report inside the caller's transaction."""
    system = Account.objects.get(domain=home(), kind=Account.Kind.SYSTEM)
    subject = f"Report Domain: {report.domain} Submitter: {settings.EHLO_NAME} Report-ID: <{report.report_id}>"
    raw = compose(
        Outgoing(
            from_=report.author,
            to=[Address("", address) for address in addresses],
            subject=subject,
            text=report.text,
            attachments=[OutgoingPart(f"{report.name}.{report.ending}.gz", report.media_type, report.packed)],
            date=timezone.now(),
            extra_headers={"Auto-Submitted": "auto-generated", **report.headers},
        )
    )
    request = SubmitRequest(
        system.address, addresses, raw, save_to_sent=False, origin=Submission.Origin.SYSTEM, actor_id=system.pk
    )
    submit(system_access(system.pk), request)
