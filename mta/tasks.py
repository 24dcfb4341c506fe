"""What workers do for the queue. Tasks only wake: the rows are the truth."""

from __future__ import annotations

import datetime
import time

from celery import shared_task
from django.utils import timezone

from accounts.models import Domain
from core.jobs import wake
from mta.alone import each_alone
from mta.approval.deciding import tick
from mta.certificates.acme import renew_all
from mta.certificates.services import warn_of_expiry
from mta.company.rates import forget_counts
from mta.company.suppression import forget_suppressed
from mta.dmarc_reports.reading import read_reports
from mta.dmarc_reports.sending import send_reports
from mta.inbound import greylist
from mta.inbound.accepted import expire
from mta.models import DkimKey
from mta.outbound import queue, worker
from mta.quarantine.digest import send_digests
from mta.quarantine.services import purge_quarantine
from mta.records.check import finish_rotation
from mta.services.dkim_keys import forget_retired
from mta.services.domain_watch import check_all
from mta.services.domains import prepare_domain
from mta.services.filter_runs import is_any_waiting, work_on_runs
from mta.services.moderation import expire_posts
from mta.services.openings import forget_openings
from mta.services.recall import go_on
from mta.services.retention import purge
from mta.spam.forgetting import forget
from mta.spam.lessons import learn
from mta.spam.partners import meet_partners
from mta.tls_reports import sending as tls_reports


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
    if is_any_waiting():
        wake("mta.run_filters")  # a task of its own: a run over a large folder must not hold up the queue
    expire_posts()


@shared_task(name="mta.run_filters")
def run_filters() -> None:
    """Apply filters to mail that is there already, slice by slice."""
    work_on_runs()


@shared_task(name="mta.approvals")
def approvals() -> None:
    """Remind approvers, and obey deadlines."""
    tick(time.time_ns() // 1000)


@shared_task(name="mta.forget_counts")
def forget_sending_counts() -> None:
    """Let go of hours that no limit asks about, and of dead addresses whose time is over."""
    forget_counts()
    forget_suppressed()


@shared_task(name="mta.recall")
def recall() -> None:
    """Go on with recalls that are not finished, and forget openings that no recall asks about any more."""
    go_on()
    forget_openings(time.time_ns() // 1000)


@shared_task(name="mta.turn_keys")
def turn_keys() -> None:
    """Finish rotations whose DNS records have appeared, forget keys that signed nothing for long, and give domains
    that are older than signing what they lack."""
    each_alone(Domain.objects.filter(dkim_keys=None), prepare_domain)
    each_alone(Domain.objects.filter(dkim_keys__state=DkimKey.State.WAITING).distinct(), finish_rotation)
    forget_retired(timezone.now())
    greylist.expire(time.time_ns() // 1000)


@shared_task(name="mta.renew_certificates")
def renew_certificates() -> None:
    """Get certificates by ACME, and tell administrators of those that end soon."""
    renew_all()
    warn_of_expiry(timezone.now())


@shared_task(name="mta.check_domains")
def check_domains() -> None:
    """Look at domains' DNS at night."""
    check_all(timezone.now())


@shared_task(name="mta.send_tls_reports")
def send_tls_reports() -> None:
    """Tell domains what became of TLS towards them until yesterday."""
    tls_reports.send_reports(datetime.datetime.now(datetime.UTC).date())


@shared_task(name="mta.exchange_dmarc_reports")
def exchange_dmarc_reports() -> None:
    """Send what was seen until yesterday, and read what others have sent."""
    send_reports(datetime.datetime.now(datetime.UTC).date())
    each_alone(Domain.objects.filter(is_active=True), read_reports)


@shared_task(name="mta.learn_spam")
def learn_spam() -> None:
    """Learn from what people moved into Junk and out of it."""
    learn()


@shared_task(name="mta.meet_partners")
def meet_partners_task() -> None:
    """Know whom companies write to, for names that are made to look like theirs."""
    each_alone(Domain.objects.filter(is_active=True), meet_partners)


@shared_task(name="mta.forget_spam")
def forget_spam() -> None:
    """Let what was learnt fade, within its bounds."""
    forget(datetime.datetime.now(datetime.UTC).date())


@shared_task(name="mta.purge_quarantine")
def purge_quarantine_task() -> None:
    """Delete what has lain in quarantine for its seven days."""
    purge_quarantine(timezone.now())


@shared_task(name="mta.purge")
def purge_task() -> None:
    """Let go of sent mail, approvals and reports whose time is over."""
    purge(timezone.now())


@shared_task(name="mta.send_spam_digests")
def send_spam_digests() -> None:
    """Send the daily reports that are due."""
    send_digests(timezone.now())
