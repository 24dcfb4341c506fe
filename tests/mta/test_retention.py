"""Sent mail whose end is ninety days ago is forgotten with its bytes; what anybody still needs is not."""

from __future__ import annotations

import datetime

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from accounts.selectors import access_for
from core.times import micros
from mailstore.blobs import collect_blobs
from mailstore.models import Blob
from mta.approval.rules import create_rule
from mta.models import Approval, AutoReplied, Delivery, DmarcReport, Recall, SendSettings, Submission
from mta.selectors.status import LOG_DAYS
from mta.services import retention, submit
from mta.services.retention import purge
from tests.factories import make_account
from tests.mta.test_submit import mails, request

pytestmark = pytest.mark.django_db(transaction=True)
DAY = datetime.timedelta(days=1)
LATER = timezone.now() + (LOG_DAYS + 1) * DAY


def sent(author: Account, *recipients: str, state: str = "accepted", number: int = 1) -> Submission:
    """A mail of its own bytes whose deliveries stand so."""
    raw = request().raw.replace(b"Subject: ", b"Subject: %d " % number)
    pk = submit(access_for(author, author.pk), request(*recipients, raw=raw))
    Delivery.objects.filter(submission=pk, state="queued").update(state=state)
    return Submission.objects.get(pk=pk)


def collected() -> None:
    Blob.objects.update(touched_s=0)
    collect_blobs()


def test_it_goes_with_its_bytes_and_the_copy_in_sent_stays(alice: Account) -> None:
    submission = sent(alice, "x@far.example")
    assert submission.sent_blob_id not in (None, submission.wire_blob_id)
    purge(LATER - 2 * DAY)
    assert Submission.objects.exists()
    assert purge(LATER) == 1
    assert not Delivery.objects.exists()
    collected()
    assert not Blob.objects.filter(pk=submission.wire_blob_id).exists()
    assert Blob.objects.filter(pk=submission.sent_blob_id).exists()
    assert len(mails(alice, "sent")) == 1


@pytest.mark.parametrize("state", ["held", "approval", "scheduled", "queued", "sending", "deferred"])
def test_what_is_on_its_way_stays_with_its_bytes(alice: Account, state: str) -> None:
    submission = sent(alice, "x@far.example", "y@far.example")
    Delivery.objects.filter(recipient="y@far.example").update(state=state)
    assert purge(LATER) == 0
    collected()
    assert Delivery.objects.count() == 2
    assert Blob.objects.filter(pk__in=[submission.wire_blob_id, submission.sent_blob_id]).count() == 2


def test_its_time_counts_from_its_end(alice: Account) -> None:
    submission = sent(alice, "x@far.example")
    Delivery.objects.update(updated_us=micros(LATER - DAY))
    assert purge(LATER) == 0
    assert Submission.objects.filter(pk=submission.pk).exists()


def test_a_recall_goes_with_it_when_it_is_over(alice: Account) -> None:
    submission = sent(alice, "x@far.example")
    recall = Recall.objects.create(submission=submission, actor_id=alice.pk, requested_us=submission.created_us)
    recall.outcomes.create(recipient="x@far.example", address="x@far.example", result="external", at_us=1)
    assert purge(LATER) == 0
    Recall.objects.update(finished_us=submission.created_us)
    assert purge(LATER) == 1
    assert not Recall.objects.exists()


def test_the_approval_log_keeps_its_line_for_a_year(alice: Account) -> None:
    SendSettings.objects.update(follows=True)
    boss = make_account("boss@example.test")
    create_rule(alice.domain, name="all", approver=boss)
    submission = sent(alice, "x@far.example")
    Delivery.objects.update(state="cancelled")
    assert purge(LATER) == 1
    approval = Approval.objects.get()
    assert (approval.submission, approval.subject) == (None, submission.subject)
    purge(LATER + 300 * DAY)
    assert Approval.objects.exists()  # nobody has decided, says the row
    Approval.objects.update(state="approved")
    purge(LATER + 300 * DAY)
    assert not Approval.objects.exists()


def test_old_answers_and_reports_go(alice: Account) -> None:
    now = timezone.now()
    AutoReplied.objects.create(account=alice, sender_hash=1, at_us=micros(now - 366 * DAY))
    AutoReplied.objects.create(account=alice, sender_hash=2, at_us=micros(now))
    DmarcReport.objects.create(domain=alice.domain, organisation="o", report_id="1", begins_at=now, ends_at=now)
    purge(now + DAY)
    assert AutoReplied.objects.get().sender_hash == 2
    assert DmarcReport.objects.exists()
    purge(now + 366 * DAY)
    assert not DmarcReport.objects.exists()


def test_a_run_that_dies_is_gone_on_with_by_the_next(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        sent(alice, f"x{number}@far.example", f"y{number}@far.example", number=number)
    monkeypatch.setattr(retention, "SLICE", 4)  # two submissions in one transaction
    delete, calls = retention._delete, []

    def dies(ids: list[int], until_us: int) -> int:
        calls.append(ids)
        with transaction.atomic():
            found = delete(ids, until_us)
            if len(calls) == 2:
                raise KeyboardInterrupt
        return found

    monkeypatch.setattr(retention, "_delete", dies)
    with pytest.raises(KeyboardInterrupt):
        purge(LATER)
    assert [len(ids) for ids in calls] == [2, 2]
    assert (Submission.objects.count(), Delivery.objects.count()) == (3, 6)
    assert purge(LATER) == 3
    assert not Delivery.objects.exists()


def test_domains_are_walked_each_by_its_index(alice: Account, charlie: Account) -> None:
    sent(alice, "x@far.example")
    other = sent(alice, "x@far.example", number=2)
    Submission.objects.filter(pk=other.pk).update(domain_id=charlie.domain_id)
    assert purge(LATER) == 2
