"""How long each kind of event is kept, and letting go of the rest in slices."""

from __future__ import annotations

import datetime

from django.utils import timezone

from logs_app.models import Event, Kind

KEEP_DAYS = {
    Kind.SIGN_IN: 92,  # three months
    Kind.DELIVERY: 90,
    Kind.RECEIVED: 90,
    Kind.REFUSED: 30,
    Kind.DELETION: 90,
    Kind.APPROVAL: 365,
    Kind.ADMIN: 365,
    Kind.GRANT_USE: 365,
    Kind.MONITOR_VIEW: 365,
}
SLICE = 2_000
"""Rows of one transaction: writers of mail wait for no longer."""


def purge_events(now: datetime.datetime | None = None) -> int:
    """Delete at most SLICE events whose time is over; answers how many."""
    moment = now or timezone.now()
    ids: list[int] = []
    for kind, days in KEEP_DAYS.items():
        over = Event.objects.filter(kind=kind, at__lt=moment - datetime.timedelta(days=days))
        ids += over.order_by("at").values_list("id", flat=True)[: SLICE - len(ids)]
    return Event.objects.filter(id__in=ids).delete()[0]
