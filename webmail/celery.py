"""The workers' application, and the one table of what happens periodically.

Tasks only wake: rows are the truth, so a task that is lost or done twice harms nothing.
"""

from __future__ import annotations

import os

from celery import Celery

from core.jobs import SWEEP_S

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")

HOUR_S = 3600.0

SCHEDULE = {
    "mta.sweep": float(SWEEP_S),
    "mta.approvals": 60.0,
    "mta.recall": 60.0,
    "mta.forget_counts": HOUR_S,
    "mta.turn_keys": HOUR_S,
    "mta.exchange_dmarc_reports": HOUR_S,
    "mta.learn_spam": 300.0,
    "mta.meet_partners": HOUR_S,
    "mta.forget_spam": 24 * HOUR_S,
    "mta.purge_quarantine": HOUR_S,
    "mta.purge": 24 * HOUR_S,
    "mta.send_spam_digests": 60.0,
    "mta.send_tls_reports": HOUR_S,
    "mta.renew_certificates": HOUR_S,
    "mta.check_domains": HOUR_S,
    "mailstore.collect": HOUR_S,
    "mailstore.fill_orders": 60.0,
    "mailstore.train_dictionary": 24 * HOUR_S,
    "logs_app.purge_events": 24 * HOUR_S,
}
"""Task name to seconds between two runs."""

app = Celery("globalmail")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    name: {"task": name, "schedule": seconds, "options": {"expires": seconds}} for name, seconds in SCHEDULE.items()
}
