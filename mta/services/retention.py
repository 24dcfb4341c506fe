"""What is let go of daily: finished submissions, whose bytes the collection of blobs takes then, old lines of the approval
log, of who was answered, and reports about our domains.

Slices, each a transaction of its own that looks again at what it deletes, so that a run may die anywhere and the next one
goes on. What the log tells of a delivery (`logs_app`) lasts as long as the delivery's own row.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from core.times import micros
from mta.models import OPEN, Approval, AutoReplied, Delivery, DmarcReport, Recall, Submission
from mta.selectors.status import LOG_DAYS

SLICE = 200
"""Rows of one transaction; a submission counts as its deliveries."""
YEAR = datetime.timedelta(days=365)


def purge(now: datetime.datetime) -> int:
    """Let go of everything whose time is over; how many submissions that were."""
    count = purge_submissions(now)
    year_ago_us = micros(now - YEAR)
    decided = Approval.objects.filter(requested_us__lt=year_ago_us).exclude(state=Approval.State.PENDING)
    for rows in (
        decided,
        AutoReplied.objects.filter(at_us__lt=year_ago_us),
        DmarcReport.objects.filter(received_at__lt=now - YEAR),
    ):
        _delete_all(rows)
    return count


def purge_submissions(now: datetime.datetime) -> int:
    """Delete submissions with their deliveries and recalls, all of which have been over for LOG_DAYS days; how many. What
    was decided about them stays in the approval log."""
    until_us = micros(now - datetime.timedelta(days=LOG_DAYS))
    return sum(_delete(part, until_us) for domain_id in _domains() for part in _parts(domain_id, until_us))


def _domains() -> Iterator[int]:
    """Of all submissions, those of erased domains too; each found in the index."""
    last = -1
    while found := Submission.objects.filter(domain_id__gt=last).order_by("domain_id").values_list("domain_id")[:1]:
        [(last,)] = found
        yield last


def _parts(domain_id: int, until_us: int) -> Iterator[list[int]]:
    """Ids of what was made before, oldest first, in parts of about SLICE deliveries."""
    after = (-1, 0)
    while True:
        rows = Submission.objects.filter(domain_id=domain_id, created_us__gte=after[0], created_us__lt=until_us)
        rows = rows.filter(Q(created_us__gt=after[0]) | Q(pk__gt=after[1])).order_by("created_us", "pk")
        found = list(rows.values_list("pk", "created_us")[:SLICE])
        if not found:
            return
        after = (found[-1][1], found[-1][0])
        yield from _cut([pk for pk, _ in found])


def _cut(ids: Sequence[int]) -> Iterator[list[int]]:
    counted = Delivery.objects.filter(submission__in=ids).values_list("submission").annotate(Count("pk"))
    counts = dict(counted.order_by())
    part: list[int] = []
    rows = 0
    for pk in ids:
        if part and rows + counts.get(pk, 0) > SLICE:
            yield part
            part, rows = [], 0
        part.append(pk)
        rows += counts.get(pk, 0)
    yield part


@transaction.atomic
def _delete(ids: Sequence[int], until_us: int) -> int:
    list(Submission.objects.filter(pk__in=ids).order_by("pk").select_for_update().values_list("pk"))
    going = Delivery.objects.filter(submission__in=ids).filter(Q(state__in=OPEN) | Q(updated_us__gte=until_us))
    recalled = Recall.objects.filter(submission__in=ids).filter(Q(finished_us=None) | Q(finished_us__gte=until_us))
    kept = {*going.values_list("submission", flat=True), *recalled.values_list("submission", flat=True)}
    over = Submission.objects.filter(pk__in=set(ids) - kept)
    return over.delete()[1].get("mta.Submission", 0)


def _delete_all(rows: QuerySet[Approval] | QuerySet[AutoReplied] | QuerySet[DmarcReport]) -> None:
    while found := list(rows.values_list("pk", flat=True)[:SLICE]):
        rows.model._default_manager.filter(pk__in=found).delete()
