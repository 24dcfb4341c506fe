"""The outgoing queue: rows claimed in the database, for a time, by whoever comes first.

A claim moves `next_attempt_us` to the end of the claim, so that claimed rows are simply not due; a worker that dies
gives its rows back by doing nothing. A mail may then go out twice and is never lost.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence

from django.conf import settings
from django.db import connection, transaction

from core.bulk import executed
from mta.models import Delivery

State = Delivery.State

CLAIM_S = 900
"""Longer than one transaction with a slow server may take (RFC 5321 4.5.3.2.6: ten minutes for the last answer)."""
BATCH = 100
FIRST_RETRY_S = 60
NEVER_US = 1 << 62
"""When held mail is due."""
LAST_RETRY_S = 2 * 3600
"""Back-off doubles from one to the other, a fifth more or less, so that deferred mail does not come in step."""


INDEXED = "state IN ('held', 'scheduled', 'queued', 'sending', 'deferred')"
"""The condition of the index of due rows, word for word: SQLite uses a partial index only when it can see it."""
RELEASED = "state IN ('held', 'scheduled')"
"""The same for the index of rows that wait to be released: a long queue has few of them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Claimed:
    """One delivery that is ours until `until_us`."""

    id: int
    submission_id: int
    recipient: str
    domain: str
    tries: int
    blob_id: int | None
    notify: str
    original: str
    until_us: int


def claim(now_us: int, *, limit: int = BATCH) -> list[Claimed]:
    """Take up to `limit` due deliveries, oldest first; each is taken by one caller only."""
    until_us = now_us + CLAIM_S * 1_000_000
    skip = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    sql = f"""
        UPDATE mta_delivery
        SET state = 'sending', tries = tries + 1, claimed_until_us = %s, next_attempt_us = %s, updated_us = %s
        WHERE id IN (
            SELECT id FROM mta_delivery
            WHERE state IN ('queued', 'deferred', 'sending') AND next_attempt_us <= %s
            AND {INDEXED}
            ORDER BY next_attempt_us LIMIT %s {skip}
        )
        RETURNING id, submission_id, recipient, domain, tries, blob_id, notify, original
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, [until_us, until_us, now_us, now_us, limit])
        rows: list[tuple[int, int, str, str, int, int | None, str, str]] = cursor.fetchall()
    return [Claimed(*row, until_us) for row in rows]


def put_back(claimed: Sequence[Claimed], at_us: int, now_us: int) -> None:
    """Give rows back that were not tried, to be claimed again at `at_us`: their destination has enough to do."""
    if not claimed:
        return
    marks = ", ".join(["%s"] * len(claimed))
    sql = f"""
        UPDATE mta_delivery
        SET state = CASE WHEN tries > 1 THEN 'deferred' ELSE 'queued' END, tries = tries - 1,
            next_attempt_us = CASE WHEN on_hold THEN {NEVER_US} ELSE %s END,
            claimed_until_us = 0, updated_us = %s
        WHERE id IN ({marks}) AND state = 'sending' AND claimed_until_us = %s
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [at_us, now_us, *(each.id for each in claimed), claimed[0].until_us])


def renew(claimed: Sequence[Claimed], now_us: int) -> list[Claimed]:
    """Claim again, from now on, what has waited for its turn; those that are still ours, in their order. What was put on
    hold meanwhile is not claimed again, and not given back either (`put_back`)."""
    until_us = now_us + CLAIM_S * 1_000_000
    marks = ", ".join(["(%s, %s)"] * len(claimed))
    sql = f"""
        UPDATE mta_delivery SET claimed_until_us = %s, next_attempt_us = %s, updated_us = %s
        FROM (VALUES {marks}) AS ours
        WHERE mta_delivery.id = ours.column1 AND state = 'sending' AND claimed_until_us = ours.column2 AND NOT on_hold
        RETURNING mta_delivery.id
    """
    values = [value for each in claimed for value in (each.id, each.until_us)]
    with executed(sql, [until_us, until_us, now_us, *values]) as cursor:
        kept = {row_id for (row_id,) in cursor.fetchall()}
    return [dataclasses.replace(each, until_us=until_us) for each in claimed if each.id in kept]


def due_releases(now_us: int, *, limit: int = BATCH) -> list[int]:
    """Submissions whose undo time is over, and those whose hour has come."""
    sql = f"SELECT submission_id FROM mta_delivery WHERE {RELEASED} AND next_attempt_us <= %s ORDER BY next_attempt_us LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(sql, [now_us, limit])
        return sorted({submission_id for (submission_id,) in cursor.fetchall()})


def is_anything_due(now_us: int) -> bool:
    """Whether a worker would find something to do."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM mta_delivery WHERE {INDEXED} AND next_attempt_us <= %s LIMIT 1", [now_us])
        return cursor.fetchone() is not None


def next_attempt_us(now_us: int, tries: int) -> int:
    """When to try again after `tries` attempts."""
    wait_s = min(FIRST_RETRY_S * 2 ** min(tries - 1, 20), LAST_RETRY_S)
    return now_us + int(wait_s * random.uniform(0.8, 1.2) * 1_000_000)


def is_too_old(created_us: int, now_us: int) -> bool:
    """Whether a delivery has been tried for as long as it is (RFC 5321 4.5.4.1)."""
    limit_us = int(settings.RETRY_FOR_S) * 1_000_000
    return now_us - created_us > limit_us


def by_destination(claimed: Sequence[Claimed]) -> list[list[Claimed]]:
    """Groups that one SMTP transaction can carry: same message, same bytes, same domain."""
    groups: dict[tuple[int, int | None, str], list[Claimed]] = {}
    for delivery in claimed:
        key = (delivery.submission_id, delivery.blob_id, delivery.domain.lower())
        groups.setdefault(key, []).append(delivery)
    return list(groups.values())
