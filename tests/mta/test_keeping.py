"""Mail of an account that was suspended or expired when it was to leave: it is kept, and leaves when its author says so."""

from __future__ import annotations

import datetime
import functools
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import (
    erase_account,
    grant_mailbox,
    restore_account,
    suspend_account,
    update_account,
    update_domain,
)
from core.errors import ErrorKind, MailError
from logs_app.models import Event
from mailstore.services import drafts
from mta.approval.deciding import decide
from mta.approval.rules import create_rule
from mta.models import Approval, Delivery, Submission
from mta.outbound import worker
from mta.outbound.queue import due_releases
from mta.selectors import outbox
from mta.services import cancel, send_now, submit, take_back
from mta.services.release import release
from tests.factories import make_account
from tests.mailstore.test_concurrency import at_once
from tests.mta.test_schedule import come_due, schedule
from tests.mta.test_submit import RAW, mails, request, states

pytestmark = pytest.mark.django_db

YESTERDAY = timezone.now().date() - datetime.timedelta(days=2)
STOPPED: dict[str, tuple[Callable[[Account], Any], Callable[[Account], Any]]] = {
    "suspended": (suspend_account, restore_account),
    "expired": (
        lambda account: update_account(account, valid_until=YESTERDAY),
        lambda account: update_account(account, valid_until=None),
    ),
    "its domain suspended": (
        lambda account: update_domain(account.domain, is_active=False),
        lambda account: update_domain(account.domain, is_active=True),
    ),
}


def sweep() -> None:
    """What workers do every few seconds; a failure is a failure."""
    worker._release_due()


def kept() -> set[int]:
    """What stands in 待发送 as not sent."""
    rows = Delivery.objects.filter(on_hold=True).values_list("submission_id", flat=True)
    return set(rows)


@pytest.mark.parametrize("way", STOPPED)
def test_it_does_not_leave_at_its_hour_nor_by_itself_later(alice: Account, bob: Account, way: str) -> None:
    stop, let = STOPPED[way]
    submission, later = schedule(alice, "bob@example.test"), schedule(alice, "bob@example.test")
    stop(alice)
    come_due(submission)
    sweep()
    assert states(submission) == {"bob@example.test": "scheduled"} and kept() == {submission}
    let(alice)
    sweep()
    assert mails(bob, "inbox") == []
    access = access_for(alice, alice.pk)
    first, second = outbox(access)
    assert (first.submission_id, first.is_kept, first.due_us) == (submission, True, 1)
    assert (second.submission_id, second.is_kept) == (later, False)
    send_now(access, submission)
    assert len(mails(bob, "inbox")) == len(mails(alice, "sent")) == 1
    assert not kept()
    come_due(later)  # his hour came after his return
    sweep()
    assert len(mails(bob, "inbox")) == 2


def test_it_is_his_draft_again_or_cancelled(alice: Account, bob: Account) -> None:
    access = access_for(alice, alice.pk)
    submissions = [schedule(alice, "bob@example.test") for _each in range(2)]
    suspend_account(alice)
    for each in submissions:
        come_due(each)
    sweep()
    restore_account(alice)
    take_back(access, submissions[0])
    assert mails(alice, "drafts") == [RAW]
    assert cancel(access, submissions[1]).draft_id
    assert not kept() and outbox(access) == []


def test_what_could_still_be_undone_is_kept_too(alice: Account, bob: Account) -> None:
    access = access_for(alice, alice.pk)
    draft = drafts.create_draft(access, identity=alice.address)
    drafts.snapshot_draft(access, draft.id, RAW)
    submission = submit(access, request("bob@example.test", draft_id=draft.id, undo_s=30))
    suspend_account(alice)
    Delivery.objects.update(next_attempt_us=1)
    sweep()
    assert mails(alice, "drafts") == []
    assert states(submission) == {"bob@example.test": "held"} and kept() == {submission}
    restore_account(alice)
    send_now(access, submission)
    assert len(mails(bob, "inbox")) == 1


def test_nobody_is_asked_about_it_and_whoever_agrees_lets_nothing_out(alice: Account, bob: Account) -> None:
    create_rule(alice.domain, name="all", approver=bob)
    access = access_for(alice, alice.pk)
    asked = submit(access, request("x@far.example"))
    undoable = submit(access, request("x@far.example", undo_s=30))
    suspend_account(alice)
    Delivery.objects.filter(submission=undoable).update(next_attempt_us=1)
    sweep()
    approval = Approval.objects.get()
    decide(approval.pk, bob, agrees=True)
    assert states(asked) == {"x@far.example": "scheduled"} and kept() == {asked, undoable}
    restore_account(alice)
    send_now(access, asked)
    send_now(access, undoable)
    assert (states(asked), states(undoable)) == ({"x@far.example": "queued"}, {"x@far.example": "approval"})
    assert not kept()


@pytest.mark.parametrize("stop", [suspend_account, erase_account])
def test_what_he_sent_from_a_shared_mailbox_is_its_other_senders_to_decide(
    alice: Account, bob: Account, stop: Callable[[Account], Any]
) -> None:
    shop = make_account("shop@example.test", kind=Account.Kind.SHARED)
    for each in (alice, bob):
        grant_mailbox(shop, each, "sender")
    sent = request("bob@example.test", envelope_from=shop.address, actor_id=alice.pk, undo_s=30)
    submission = submit(access_for(alice, shop.pk), sent)
    stop(alice)
    Delivery.objects.update(next_attempt_us=1)
    sweep()
    assert kept() == {submission} and mails(bob, "inbox") == []
    send_now(access_for(bob, shop.pk), submission)
    assert len(mails(bob, "inbox")) == 1
    assert Submission.objects.get().actor_id == bob.pk


def test_nobody_sends_it_for_him_while_he_is_suspended(alice: Account, bob: Account, client: Client) -> None:
    grant_mailbox(alice, bob, "sender")
    submission = schedule(alice, "bob@example.test")
    suspend_account(alice)
    for when_us in (None, 1):
        if when_us:
            come_due(submission)
            sweep()
        with pytest.raises(MailError) as error:
            send_now(access_for(bob, alice.pk), submission)
        assert error.value.kind is ErrorKind.NO_PERMISSION
    client.force_login(bob)
    page = client.post(reverse("outbox_act", args=[alice.pk, submission]), {"act": "now"}, follow=True)
    assert "alice@example.test" in page.content.decode() and kept() == {submission}


def test_the_outbox_and_administrators_read_why(alice: Account, bob: Account, client: Client) -> None:
    update_account(alice, language="en")
    submission = schedule(alice, "bob@example.test")
    suspend_account(alice)
    come_due(submission)
    sweep()
    (event,) = Event.objects.filter(data__action="keep_mail")
    assert (event.address, event.data["recipients"]) == (alice.address, ["bob@example.test"])
    client.force_login(make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN, language="en"))
    queue = client.get(reverse("admin:mta_delivery_changelist")).content.decode()
    assert "On hold" in queue and "suspended or expired when it was to leave" in queue
    assert "On hold" in client.get(reverse("admin:mta_submission_changelist")).content.decode()
    restore_account(alice)
    client.force_login(Account.objects.get(pk=alice.pk))
    for name, given in (("outbox", [alice.pk]), ("outbox_act", [alice.pk, submission])):
        page = client.get(reverse(name, args=given)).content.decode()
        assert "suspended or expired when it was to be sent" in page and "was due" in page
        assert 'value="edit"' in page and 'value="now"' in page and 'value="cancel"' in page


def test_a_suspension_after_the_sweep_has_looked_still_counts(alice: Account, bob: Account) -> None:
    submission = schedule(alice, "bob@example.test")
    come_due(submission)
    suspend_account(alice)
    assert not release(submission)
    assert kept() == {submission} and mails(bob, "inbox") == []
    assert not release(submission)
    assert Event.objects.filter(data__action="keep_mail").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_suspension_that_is_under_way_is_waited_for(alice: Account, bob: Account) -> None:
    submission = schedule(alice, "bob@example.test")
    come_due(submission)
    is_suspended = threading.Event()

    def suspend() -> None:
        with transaction.atomic():
            suspend_account(alice)
            is_suspended.set()
            time.sleep(0.3)  # long enough for the other to have passed, if nothing makes it wait

    def let_out() -> None:
        assert is_suspended.wait(10)
        assert not release(submission)

    at_once(suspend, let_out)
    assert mails(bob, "inbox") == [] and kept() == {submission}


def test_however_much_is_kept_it_asks_no_more_and_keeps_nobody_waiting(
    alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(count: int) -> int:
        for _each in range(count):
            come_due(schedule(alice, "bob@example.test"))
        with CaptureQueriesContext(connection) as queries:
            sweep()
        return len(queries)

    suspend_account(alice)
    few = asked(1)
    assert asked(20) <= few + 1 < 15  # events are inserted in slices
    monkeypatch.setattr(worker, "due_releases", functools.partial(due_releases, limit=5))
    for _each in range(12):
        come_due(schedule(alice, "bob@example.test"))
    submission = schedule(bob, "x@far.example", envelope_from=bob.address)
    come_due(submission)
    Delivery.objects.filter(submission=submission).update(next_attempt_us=2)
    sweep()
    assert states(submission) == {"x@far.example": "queued"}
    assert len(kept()) == 33
