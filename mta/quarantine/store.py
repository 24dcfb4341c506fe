"""Writing into the quarantine, inside the transaction that delivers the mail to others."""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence

from django.db import connection

from accounts.domain_names import local_domains
from accounts.models import Account
from core.bulk import insert_rows
from core.times import moment, zone_named
from mailstore import blobs
from mailstore.services.deliver import Prepared
from mailstore.services.touch import touch_on_commit
from mta.inbound.filing import Filed

KEEP_DAYS = 7
"""Calendar days in the domain's zone (18.2.4 of the manual)."""

COLUMNS = (
    "domain_id, account_id, blob_id, trace_length, kind, state, judgement, envelope_from, matched_address, sender_name, "
    "sender_address, subject, size, received_at, expires_at, reported, require_tls"
)


def quarantine(held: Sequence[Filed], prepared: Prepared, sender: str, *, require_tls: bool = False) -> None:
    """Put `prepared` aside for those who are `held`. In the caller's transaction; nothing for nobody. Pages that
    count it hear of it after the commit."""
    if not held:
        return
    owners = dict(Account.objects.filter(pk__in=[each.placement.mailbox for each in held]).values_list("pk", "domain"))
    blob_id = blobs.insert([prepared.encoded])[prepared.encoded.sha256]
    rows = [
        (*_row(each, prepared, sender, blob_id, owners[each.placement.mailbox]), require_tls)
        for each in held
        if each.placement.mailbox in owners
    ]
    insert_rows("mta_quarantinedmail", COLUMNS, rows)
    touch_on_commit(owners)


def _row(each: Filed, prepared: Prepared, sender: str, blob_id: int, domain_id: int) -> tuple[object, ...]:
    scanned, placement = prepared.scanned, each.placement
    at_us = placement.internal_us or time.time_ns() // 1000
    at = moment(at_us)
    return (
        domain_id,
        placement.mailbox,
        blob_id,
        prepared.trace_length,
        each.held,
        "held",
        placement.judgement,
        sender[:320],
        placement.matched_address,
        scanned.sender_name,
        scanned.sender_address,
        scanned.subject,
        prepared.size,
        connection.ops.adapt_datetimefield_value(at),
        connection.ops.adapt_datetimefield_value(expiry(at, zone_of(domain_id))),
        False,
    )


def expiry(at: datetime.datetime, zone: datetime.tzinfo) -> datetime.datetime:
    """The end of the seventh day, the day of arrival counted as the first."""
    day = at.astimezone(zone).date() + datetime.timedelta(days=KEEP_DAYS)
    return datetime.datetime.combine(day, datetime.time(), zone).astimezone(datetime.UTC)


def zone_of(domain_id: int) -> datetime.tzinfo:
    """The domain's time zone."""
    row = next((each for each in local_domains().values() if each.id == domain_id), None)
    return zone_named(row.time_zone if row is not None else "UTC")
