"""What workers do for the queue. Tasks only wake: the rows are the truth."""

from __future__ import annotations

import time

from celery import shared_task

from mta.inbound.accepted import expire
from mta.outbound import queue, worker


@shared_task(name="mta.send_due")
def send_due() -> None:
    """Send every delivery that is due."""
    worker.send_due()


@shared_task(name="mta.sweep")
def sweep() -> None:
    """Pick up what a lost task or a dead worker left, and forget accepted mail of yesterday."""
    now_us = time.time_ns() // 1000
    expire(now_us)
    if queue.is_anything_due(now_us):
        worker.send_due()
