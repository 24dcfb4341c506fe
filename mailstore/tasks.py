"""Tasks of the store."""

from __future__ import annotations

from celery import shared_task

from mailstore.dictionaries import train_if_due
from mailstore.services.collect import collect
from mailstore.services.orders import fill_orders


@shared_task(name="mailstore.collect")
def collect_task() -> None:
    """Hourly. Every slice is a transaction, so a worker may die at any line."""
    collect()


@shared_task(name="mailstore.fill_orders")
def fill_orders_task(folder_id: str | None = None) -> None:
    """At the first use of a list's order, for its folder; every minute for what a lost task or a dead worker left."""
    fill_orders(None if folder_id is None else int(folder_id))


@shared_task(name="mailstore.train_dictionary")
def train_dictionary_task() -> None:
    """Daily: a dictionary for compression when the site's mail has grown enough to teach one."""
    train_if_due()
