"""The outgoing queue as operators look at it. Pages go along the index of due rows."""

from __future__ import annotations

import dataclasses
import datetime

from django.db import connection
from django.db.models import F, QuerySet

from logs_app.models import Event, Kind
from mta.models import Delivery, Submission
from mta.outbound.queue import INDEXED

QUEUE_ID_TIME_DIGITS = 11
AROUND = datetime.timedelta(hours=1)
EVENTS_MAX = 500
LONG = 10_000
"""Deliveries of one domain that are a good part of any queue."""


def waiting(*, domain_id: int | None = None) -> QuerySet[Delivery]:
    """Deliveries that have not ended, soonest first; of one domain's mailboxes, or all."""
    found = Delivery.objects.select_related("submission").extra(where=[f"mta_delivery.{INDEXED}"])  # noqa: S610 - SQLite must see the condition word for word
    if domain_id is not None:
        mine = found.filter(submission__domain_id=domain_id)
        if mine[: LONG + 1].count() > LONG:
            # Along the due rows of all: many of them are its own. Else the database goes through its mails and sorts.
            mine = found.alias(of_domain=F("submission__domain_id") + 0).filter(of_domain=domain_id)
        found = mine
    return found.order_by("next_attempt_us", "pk")


def count_by_state() -> dict[str, int]:
    """How many deliveries wait, by state; `hold` are those that an operator keeps."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT CASE WHEN on_hold THEN 'hold' ELSE state END AS kind, COUNT(*) FROM mta_delivery WHERE {INDEXED} "
            "GROUP BY CASE WHEN on_hold THEN 'hold' ELSE state END"
        )
        return {str(kind): int(number) for kind, number in cursor.fetchall()}


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """All that is known of one id: the log's events, and what has not ended."""

    events: list[Event]
    deliveries: list[Delivery]


def follow(queue_id: str, *, domain_id: int | None = None) -> Way:
    """From SMTP to mailbox or remote server: what the log and the queue say of one id. It holds the moment it was given, so
    only the log around that is read."""
    submissions = Submission.objects.filter(queue_id=queue_id) if queue_id else Submission.objects.none()
    events = Event.objects.filter(kind__in=[Kind.RECEIVED, Kind.REFUSED, Kind.DELIVERY], data__queue_id=queue_id)
    at = _moment(queue_id)
    first = submissions.first()
    if first is not None:
        events = events.filter(account_id=first.mailbox_id)
    elif at is not None:
        events = events.filter(at__range=(at - AROUND, at + AROUND))
    else:
        events = events.none()
    deliveries = Delivery.objects.filter(submission__in=submissions).select_related("submission")
    if domain_id is not None:
        events = events.filter(domain_id=domain_id)
        deliveries = deliveries.filter(submission__domain_id=domain_id)
    return Way(list(events.order_by("at", "pk")[:EVENTS_MAX]), list(deliveries.order_by("pk")[:EVENTS_MAX]))


def _moment(queue_id: str) -> datetime.datetime | None:
    """When an id was given (`mta.inbound.trace.new_queue_id`)."""
    try:
        ms = int(queue_id[:QUEUE_ID_TIME_DIGITS], 16)
        return datetime.datetime.fromtimestamp(ms / 1000, datetime.UTC)
    except (ValueError, OverflowError, OSError):
        return None
