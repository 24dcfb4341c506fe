"""What the quarantine holds stays until its days are over, and no longer."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account
from core import changes
from core.access import system_access
from core.errors import ErrorKind, MailError
from mailstore.blobs import collect_blobs
from mailstore.models import Blob
from mailstore.selectors.folders import modseq_of
from mta.models import QuarantinedMail
from mta.quarantine import services
from mta.quarantine.selectors import quarantined_bytes
from mta.quarantine.services import delete, purge_quarantine, release
from mta.quarantine.store import expiry
from tests.factories import quarantined

pytestmark = pytest.mark.django_db
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))


@pytest.mark.parametrize(
    ("received", "until"),
    [
        ((2026, 11, 30, 0, 0), (2026, 12, 7)),
        ((2026, 11, 30, 23, 59), (2026, 12, 7)),
        ((2026, 12, 28, 12, 0), (2027, 1, 4)),
    ],
    ids=["first minute", "last minute", "new year"],
)
def test_seven_calendar_days_of_the_domains_zone(received: tuple[int, ...], until: tuple[int, ...]) -> None:
    at = datetime.datetime(*received, tzinfo=SHANGHAI)  # type: ignore[arg-type,misc]
    assert expiry(at, SHANGHAI) == datetime.datetime(*until, tzinfo=SHANGHAI)  # type: ignore[arg-type,misc]


def test_its_bytes_are_held_until_the_row_is_purged(alice: Account) -> None:
    mail = quarantined(alice)
    Blob.objects.update(touched_s=0)
    collect_blobs()
    assert quarantined_bytes(system_access(alice.pk), mail.pk).startswith(b"Return-Path:")
    assert purge_quarantine(mail.expires_at) == 1
    collect_blobs()
    assert not Blob.objects.filter(pk=mail.blob_id).exists()


def test_a_purge_that_dies_goes_on_where_it_was(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        quarantined(alice)
    QuarantinedMail.objects.update(expires_at=timezone.now())
    monkeypatch.setattr(services, "PURGE_SLICE", 1)
    run, calls = services.sql.run, []

    def dies(*args: object) -> int:
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return run(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(services.sql, "run", dies)
        with pytest.raises(KeyboardInterrupt):
            purge_quarantine(timezone.now())
    assert QuarantinedMail.objects.count() == 2
    assert purge_quarantine(timezone.now()) == 2


def test_whoever_looks_is_told_of_what_comes_and_goes(
    alice: Account, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[int, int]] = []
    monkeypatch.setattr(changes, "publish", heard.extend)
    seen = [modseq_of([alice.pk])[alice.pk]]

    def happens(act: Callable[[], object]) -> None:
        heard.clear()
        with django_capture_on_commit_callbacks(execute=True):
            act()
        seen.append(modseq_of([alice.pk])[alice.pk])
        assert (alice.pk, seen[-1]) in heard and seen[-1] > seen[-2]

    for kind in ("spam", "spam", "virus"):
        happens(lambda kind=kind: quarantined(alice, kind=kind))  # type: ignore[misc]
    first, second, virus = QuarantinedMail.objects.order_by("pk")
    happens(lambda: delete(system_access(alice.pk), first.pk))
    happens(lambda: release(system_access(alice.pk), second.pk))
    happens(lambda: purge_quarantine(virus.expires_at))


def test_a_strangers_mail_does_not_exist(alice: Account, bob: Account) -> None:
    mail = quarantined(alice)
    for act in (release, delete):
        with pytest.raises(MailError) as caught:
            act(system_access(bob.pk), mail.pk)
        assert caught.value.kind is ErrorKind.NOT_FOUND
