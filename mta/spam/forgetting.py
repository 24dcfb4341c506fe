"""What was learnt fades: counts are halved every month, words beyond a number go, rarest first; and it goes with those who
taught it. Each owner is a transaction of his own."""

from __future__ import annotations

import datetime
import time

from django.db import transaction
from django.db.models import F

from accounts.models import Account, Domain
from mailstore import sql
from mta.models import KnownSender, LookalikeKey, QuarantinedMail, SpamCorpus, SpamLesson, SpamToken
from mta.spam.lessons import KEEP_DAYS
from mta.spam.record import forget_records

HALVED_EVERY = datetime.timedelta(days=30)
TOKENS_MAX = {True: 20_000, False: 5_000}
"""Words kept of a company, and of a person."""


def forget(today: datetime.date) -> None:
    """The nightly round."""
    for corpus in SpamCorpus.objects.order_by("pk").iterator():
        _age(corpus, today)
    forget_records(today)
    before_us = (time.time_ns() // 1000) - KEEP_DAYS * 24 * 3600 * 1_000_000
    SpamLesson.objects.filter(at_us__lt=before_us, learnt=F("wanted")).delete()


@transaction.atomic
def _age(corpus: SpamCorpus, today: datetime.date) -> None:
    own = SpamToken.objects.filter(domain_id=corpus.domain_id, account_id=corpus.account_id)
    if corpus.aged_on is None or today - corpus.aged_on >= HALVED_EVERY:
        if corpus.aged_on is not None:
            own.update(spam=F("spam") / 2, ham=F("ham") / 2)
            SpamCorpus.objects.filter(pk=corpus.pk).update(spam=F("spam") / 2, ham=F("ham") / 2)
            own.filter(spam=0, ham=0).delete()
        SpamCorpus.objects.filter(pk=corpus.pk).update(aged_on=today)
    limit = TOKENS_MAX[corpus.account_id == 0]
    extra = own.order_by((F("spam") + F("ham")).desc(), "-pk").values_list("pk", flat=True)[limit:]
    if ids := list(extra):
        sql.run(f"DELETE FROM mta_spamtoken WHERE {sql.among('id')}", [sql.numbers(ids)])


def forget_account(account: Account) -> None:
    """The `AccountStep`: his words, his lessons, his quarantine."""
    SpamToken.objects.filter(domain_id=account.domain_id, account_id=account.pk).delete()
    SpamCorpus.objects.filter(account_id=account.pk).delete()
    SpamLesson.objects.filter(mailbox_id=account.pk).delete()
    QuarantinedMail.objects.filter(account=account).delete()


def forget_domain(domain: Domain) -> None:
    """The `DomainStep`."""
    SpamToken.objects.filter(domain_id=domain.pk).delete()
    for model in (SpamCorpus, KnownSender, LookalikeKey, QuarantinedMail):
        model._default_manager.filter(domain=domain).delete()
