"""What was learnt fades, keeps its bounds, and goes with those who taught it."""

from __future__ import annotations

import datetime

import pytest

from accounts.models import Account
from accounts.services import erase_account
from mta.models import KnownSender, QuarantinedMail, SpamCorpus, SpamLesson, SpamToken
from mta.spam import forgetting
from mta.spam.forgetting import forget
from mta.spam.record import change_records
from tests.factories import quarantined

pytestmark = pytest.mark.django_db
TODAY = datetime.date(2026, 11, 30)


def learnt(account: Account, *tokens: tuple[str, int, int]) -> None:
    """Words of a person."""
    SpamCorpus.objects.create(domain=account.domain, account_id=account.pk, spam=9, ham=8)
    for token, spam, ham in tokens:
        SpamToken.objects.create(domain_id=account.domain_id, account_id=account.pk, token=token, spam=spam, ham=ham)


def words() -> dict[str, tuple[int, int]]:
    return {row.token: (row.spam, row.ham) for row in SpamToken.objects.all()}


def test_counts_are_halved_every_month(alice: Account) -> None:
    learnt(alice, ("often", 8, 3), ("once", 1, 0))
    forget(TODAY)
    assert words() == {"often": (8, 3), "once": (1, 0)}
    forget(TODAY + datetime.timedelta(days=29))
    assert len(words()) == 2
    forget(TODAY + datetime.timedelta(days=30))
    forget(TODAY + datetime.timedelta(days=31))
    assert words() == {"often": (4, 1)}
    corpus = SpamCorpus.objects.get()
    assert (corpus.spam, corpus.ham) == (4, 4)


def test_the_rarest_words_go_when_there_are_too_many(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "TOKENS_MAX", {True: 2, False: 2})
    learnt(alice, ("a", 5, 0), ("b", 0, 1), ("c", 2, 2))
    forget(TODAY)
    assert set(words()) == {"a", "c"}


def test_senders_are_forgotten_unless_somebody_writes_to_them(alice: Account) -> None:
    domain = alice.domain_id
    change_records({(domain, "old.test"): {"passed": 3}, (domain, "partner.test"): {"written": 1}})
    KnownSender.objects.update(seen_on=TODAY - datetime.timedelta(days=181))
    change_records({(domain, "new.test"): {"reported": 1}})
    KnownSender.objects.filter(name="new.test").update(seen_on=TODAY)
    forget(TODAY)
    assert set(KnownSender.objects.values_list("name", flat=True)) == {"partner.test", "new.test"}


def test_counts_never_fall_below_nothing(alice: Account) -> None:
    change_records({(alice.domain_id, "x.test"): {"reported": 1}})
    change_records({(alice.domain_id, "x.test"): {"reported": -3, "cleared": 1}})
    row = KnownSender.objects.get()
    assert (row.reported, row.cleared) == (0, 1)


def test_it_goes_with_the_account(alice: Account) -> None:
    learnt(alice, ("word", 1, 1))
    quarantined(alice)
    SpamLesson.objects.create(message_id=1, mailbox_id=alice.pk, wanted="spam", at_us=1)
    erase_account(alice, actor=None)
    for model in (SpamToken, SpamCorpus, SpamLesson, QuarantinedMail):
        assert not model._default_manager.exists()
