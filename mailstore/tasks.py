"""Tasks of the store."""

from __future__ import annotations

from celery import shared_task

from mailstore.services.collect import collect


@shared_task(name="mailstore.collect")
def collect_task() -> None:
    """Hourly. Every slice is a transaction, so a worker may die at any line."""
    collect()
