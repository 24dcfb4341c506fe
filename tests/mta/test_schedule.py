"""Scheduled mail: it waits, is dated when it leaves, can be taken back, sent early, and never goes twice."""

from __future__ import annotations

import time
from typing import Any

import pytest

from accounts.models import Account
from accounts.selectors import access_for
from core.errors import ErrorKind, MailError
from mailstore.models import Draft, Entry
from mailstore.selectors import drafts as drafts_read
from mailstore.services import drafts
from mta.models import Delivery, Submission
from mta.outbound import worker
from mta.selectors import outbox
from mta.services import cancel, send_now, submit, take_back
from tests.mta.test_submit import RAW, mails, request, states

pytestmark = pytest.mark.django_db

HOUR_US = 3_600_000_000


def later_us(hours: int = 1) -> int:
    """A moment in the future."""
    return time.time_ns() // 1000 + hours * HOUR_US


def schedule(author: Account, *recipients: str, **changes: Any) -> int:
    """A submission of a draft for later."""
    access = access_for(author, author.pk)
    draft = drafts.create_draft(access, identity=author.address, bcc="secret@far.example")
    drafts.snapshot_draft(access, draft.id, RAW)
    return submit(access, request(*recipients, draft_id=draft.id, schedule_us=later_us(), **changes))


def come_due(submission: int) -> None:
    """As if its hour had come."""
    Submission.objects.filter(pk=submission).update(schedule_us=1)
    Delivery.objects.filter(submission=submission).update(next_attempt_us=1)


@pytest.mark.django_db(transaction=True)
def test_it_waits_out_of_sight_and_leaves_with_the_date_of_its_hour(alice: Account, bob: Account) -> None:
    raw = RAW.replace(b"Subject", b"Date: Mon, 1 Jan 2024\r\n 00:00:00 +0000\r\nSubject")
    submission = schedule(alice, "bob@example.test", raw=raw)
    assert states(submission) == {"bob@example.test": "scheduled"}
    assert mails(alice, "drafts") == mails(alice, "sent") == mails(bob, "inbox") == []
    worker.send_due()
    assert mails(bob, "inbox") == []
    come_due(submission)
    worker.send_due()
    (received,), (sent,) = mails(bob, "inbox"), mails(alice, "sent")
    assert b"2024" not in received and b"2024" not in sent
    assert sent.count(b"Date:") == 1 and b"Bcc" in sent and b"Bcc" not in received
    assert not Draft.objects.exists()
    worker.send_due()
    assert len(mails(bob, "inbox")) == 1


@pytest.mark.django_db(transaction=True)
def test_taken_back_it_is_a_draft_again(alice: Account, bob: Account) -> None:
    submission = schedule(alice, "bob@example.test")
    access = access_for(alice, alice.pk)
    draft_id = take_back(access, submission)
    assert drafts_read.get_draft(access, draft_id).bcc == "secret@far.example"
    assert mails(alice, "drafts") == [RAW]
    come_due(submission)
    worker.send_due()
    assert mails(bob, "inbox") == []
    with pytest.raises(MailError) as error:
        take_back(access, submission)
    assert error.value.kind is ErrorKind.IN_USE
    again = submit(access, request("bob@example.test", draft_id=draft_id))
    assert states(again) == {"bob@example.test": "delivered"}


def test_a_draft_leaves_once(alice: Account, bob: Account) -> None:
    submission = schedule(alice, "bob@example.test")
    draft_id = Submission.objects.get(pk=submission).draft_id
    with pytest.raises(MailError) as error:
        submit(access_for(alice, alice.pk), request("bob@example.test", draft_id=draft_id))
    assert error.value.kind is ErrorKind.IN_USE
    send_now(access_for(alice, alice.pk), submission)
    with pytest.raises(MailError):
        submit(access_for(alice, alice.pk), request("bob@example.test", draft_id=draft_id))
    assert len(mails(bob, "inbox")) == 1


@pytest.mark.parametrize("hours", [-1, 24 * 366])
def test_a_time_that_is_over_or_too_far_is_refused(alice: Account, hours: int) -> None:
    with pytest.raises(MailError) as error:
        submit(access_for(alice, alice.pk), request("bob@example.test", schedule_us=later_us(hours)))
    assert error.value.data["field"] == "schedule"
    assert not Submission.objects.exists()


def test_mail_of_a_program_comes_back_as_a_draft_with_those_no_field_names(alice: Account, bob: Account) -> None:
    raw = RAW.replace(b"Bcc: secret@far.example\r\n", b"")
    changes = {"schedule_us": later_us(), "origin": "smtp", "raw": raw}
    submission = submit(access_for(alice, alice.pk), request("bob@example.test", "hidden@far.example", **changes))
    access = access_for(alice, alice.pk)
    draft = drafts_read.get_draft(access, take_back(access, submission))
    assert (draft.to, draft.bcc) == ("bob@example.test", "hidden@far.example")
    assert Entry.objects.filter(pk=draft.snapshot_entry_id).exists()


def test_what_nobody_took_yet_is_cancelled_for_those_alone(alice: Account, bob: Account) -> None:
    access = access_for(alice, alice.pk)
    submission = submit(access, request("bob@example.test", "x@far.example"))
    stopped = cancel(access, submission)
    assert (stopped.recipients, stopped.left, stopped.draft_id) == (["x@far.example"], 1, None)
    assert states(submission) == {"bob@example.test": "delivered", "x@far.example": "cancelled"}
    with pytest.raises(MailError):
        cancel(access, submission)


def test_the_outbox_names_what_waits_and_nothing_of_others(alice: Account, bob: Account) -> None:
    scheduled = schedule(alice, "bob@example.test")
    queued = submit(access_for(alice, alice.pk), request("x@far.example", "bob@example.test"))
    found = {mail.submission_id: mail for mail in outbox(access_for(alice, alice.pk))}
    assert set(found) == {scheduled, queued}
    assert found[scheduled].state == "scheduled" and found[scheduled].is_gated and found[scheduled].due_us
    assert (found[queued].state, found[queued].waiting, found[queued].total) == ("queued", 1, 2)
    assert found[queued].recipients == ["x@far.example"]
    assert outbox(access_for(bob, bob.pk)) == []
    for act in (take_back, cancel, send_now):
        with pytest.raises(MailError) as error:
            act(access_for(bob, bob.pk), scheduled)
        assert error.value.kind is ErrorKind.NOT_FOUND


def test_mail_scheduled_for_long_is_tried_for_as_long_as_other_mail(alice: Account, monkeypatch: Any) -> None:
    submission = schedule(alice, "x@far.example")
    Submission.objects.filter(pk=submission).update(created_us=1)
    send_now(access_for(alice, alice.pk), submission)
    assert Submission.objects.get(pk=submission).release_us > HOUR_US
    assert states(submission) == {"x@far.example": "queued"}
