"""Tasks of the record."""

from __future__ import annotations

from celery import shared_task

from core.jobs import wake
from logs_app.retention import SLICE, purge_events


@shared_task(name="logs_app.purge_events")
def purge_events_task() -> None:
    """Daily; goes on at once while there is more."""
    if purge_events() >= SLICE:
        wake("logs_app.purge_events")
