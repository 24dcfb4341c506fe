"""Wake a worker by task name after commit. A lost wake-up costs time, never work.

Tasks only wake: the rows they work on are the truth, and a sweep every SWEEP_S seconds picks up whatever
a lost task or a dead worker left. So a broker that is gone is logged and forgotten.
"""

from __future__ import annotations

import logging
import time

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

SWEEP_S = 20
PAUSE_S = 5.0
"""After a failure nothing is sent for so long: a broker that is gone must not slow every page down."""

log = logging.getLogger(__name__)
_quiet_until = 0.0


def wake(task: str, *args: int | str, countdown_s: float | None = None) -> None:
    """Send a task by name (`<app>.<verb>_<noun>`), ids as arguments, now. Never raises for a lost broker."""
    global _quiet_until  # noqa: PLW0603 - one circuit breaker for each process
    if time.monotonic() < _quiet_until:
        return
    try:
        current_app.send_task(task, args=args, countdown=countdown_s, retry=False)
    except (OperationalError, OSError) as error:
        _quiet_until = time.monotonic() + PAUSE_S
        log.info("task not sent; the sweep will find its rows", extra={"task": task, "error": str(error)})


def wake_on_commit(task: str, *args: int | str, countdown_s: float | None = None) -> None:
    """`wake` after the current transaction commits."""
    transaction.on_commit(lambda: wake(task, *args, countdown_s=countdown_s), robust=True)
