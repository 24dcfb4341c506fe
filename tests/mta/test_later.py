"""FUTURERELEASE: a mail program's mail waits for the time it names."""

from __future__ import annotations

import time

import pytest

from accounts.models import Account
from mta.models import Delivery, Submission
from mta.outbound import worker
from mta.smtp_in.commands import UNKNOWN_PARAMETER, Mail, parse_mail
from mta.smtp_in.later import offer, release_us
from tests.dialogue import client_tls
from tests.factories import PASSWORD
from tests.mta.conftest import Running
from tests.mta.test_submit import mails

NOW_US = 1_800_000_000_000_000
"""2027-01-15 08:00 UTC."""


@pytest.mark.parametrize(
    ("hold_for", "hold_until", "wanted_s"),
    [
        (None, None, None),
        ("60", None, 60),
        ("86400", None, 86_400),
        (None, "2027-01-15T08:01:00Z", 60),
        (None, "2027-01-15T16:01:00+08:00", 60),
        (None, "2027-01-15t08:00:00.5z", 0.5),
    ],
)
def test_a_time_is_read(hold_for: str | None, hold_until: str | None, wanted_s: float | None) -> None:
    wanted = 0 if wanted_s is None else NOW_US + int(wanted_s * 1_000_000)
    assert release_us(hold_for, hold_until, NOW_US, 1) == wanted


@pytest.mark.parametrize(
    ("hold_for", "hold_until"),
    [("60", "2027-01-15T08:01:00Z"), ("0", None), ("86401", None), ("-5", None), ("060", None), ("9999999999", None)]
    + [("", None), ("٣", None), (None, ""), (None, "2027-01-15T08:00:00Z"), (None, "2027-01-16T08:00:01Z")]
    + [
        (None, "2027-01-15T08:01:00"),
        (None, "2027-02-30T08:01:00Z"),
        (None, "tomorrow"),
        (None, "0001-01-01T00:00:00+23:59"),
    ],
)
def test_anything_else_is_refused(hold_for: str | None, hold_until: str | None) -> None:
    assert release_us(hold_for, hold_until, NOW_US, 1) is None


def test_what_is_offered_is_what_is_taken() -> None:
    name, seconds, last = offer(NOW_US, 365).split()
    assert (name, last) == ("FUTURERELEASE", "2028-01-15T08:00:00Z")
    assert release_us(seconds, None, NOW_US, 365) == release_us(None, last, NOW_US, 365)


def test_only_a_service_that_holds_mail_knows_the_words() -> None:
    assert parse_mail("FROM:<a@example.test> HOLDFOR=5") == UNKNOWN_PARAMETER
    assert parse_mail("FROM:<a@example.test> HOLDFOR=5", holds=True) == Mail("a@example.test", hold_for="5")


@pytest.mark.django_db(transaction=True)
def test_a_programs_mail_waits_and_leaves_when_its_hour_has_come(
    running: Running, alice: Account, bob: Account
) -> None:
    with running.client() as stranger:
        stranger.ehlo()
        assert not stranger.has_extn("futurerelease")
    with running.client(running.submission) as client:
        client.starttls(context=client_tls())
        client.login(alice.address, PASSWORD)
        client.ehlo()
        assert client.esmtp_features["futurerelease"].split()[0] == str(365 * 86_400)
        assert client.mail(alice.address, ["HOLDUNTIL=2001-01-01T00:00:00Z"])[0] == 501
        before_us = time.time_ns() // 1000
        message = b"From: alice@example.test\r\nSubject: later\r\n\r\nx\r\n"
        client.sendmail(alice.address, ["bob@example.test"], message, ["HOLDFOR=3600"])
    submission = Submission.objects.get()
    assert submission.schedule_us >= before_us + 3_600_000_000
    assert Delivery.objects.get().state == "scheduled"
    worker.send_due()
    assert mails(bob, "inbox") == []
    Submission.objects.update(schedule_us=1)
    Delivery.objects.update(next_attempt_us=1)
    worker.send_due()
    assert len(mails(bob, "inbox")) == 1
