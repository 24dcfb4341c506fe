"""Recall (18.4.3): unread mail goes wherever it lies, read mail stays, each recipient has a result, nothing happens twice."""

from __future__ import annotations

import time
from typing import Any

import pytest

from accounts.models import Account, Group
from accounts.selectors import access_for
from accounts.services import create_group
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from mailstore.check_store import check_store
from mailstore.models import Entry, Flag, Message, Recoverable
from mailstore.selectors.folders import folder_by_role
from mailstore.services import folders
from mailstore.services.entries import delete, move, purge, set_flags
from mta import steps
from mta.models import Delivery, Opening, Recall, RecallOutcome, SendSettings, Submission
from mta.selectors import status
from mta.services import recall as recalling, submit
from mta.services.openings import note_opened
from mta.services.policy import update_mail_policy
from mta.services.recall import carry_out, go_on, recall, recall_as_admin
from tests.factories import make_account
from tests.mta.test_submit import RAW, mails, request, states

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def followed(alice: Account) -> None:
    """Alice has the switch on."""
    SendSettings.objects.create(account=alice, follows=True)


def send(author: Account, *recipients: str, **changes: Any) -> int:
    """A followed mail."""
    return submit(access_for(author, author.pk), request(*recipients, **changes))


def results(submission: int) -> dict[str, str]:
    """Whose copy, and what came of it."""
    found = RecallOutcome.objects.filter(recall__submission=submission)
    return dict(found.values_list("address", "result"))


def entry_of(account: Account) -> int:
    """The mail in the inbox."""
    access = access_for(account, account.pk)
    return Entry.objects.get(folder_id=folder_by_role(access, "inbox").id).pk


def back(author: Account, submission: int) -> dict[str, str]:
    """Recall it; what came of it."""
    recall(access_for(author, author.pk), submission)
    return results(submission)


def test_unread_mail_goes_and_leaves_nothing(alice: Account, bob: Account) -> None:
    submission = send(alice, "bob@example.test")
    assert back(alice, submission) == {"bob@example.test": "recalled"}
    assert mails(bob, "inbox") == [] and len(mails(alice, "sent")) == 1
    assert not Message.objects.filter(mailbox_id=bob.pk).exists()
    assert not Recoverable.objects.filter(mailbox_id=bob.pk).exists()
    assert states(submission) == {"bob@example.test": "recalled"}
    assert check_store(bob.pk) == []
    deleted = Event.objects.filter(kind=Kind.DELETION, account_id=bob.pk).get()
    assert deleted.data["action"] == "recall" and deleted.data["mails"][0]["subject"] == "lunch"


@pytest.mark.parametrize("place", ["folder", "trash", "recovery"])
def test_it_is_found_wherever_it_was_put(alice: Account, bob: Account, place: str) -> None:
    submission = send(alice, "bob@example.test")
    access, entry = access_for(bob, bob.pk), entry_of(bob)
    if place == "folder":
        move(access, [entry], folder_id=folders.create_folder(access, "customers"))
    else:
        delete(access, [entry])
    if place == "recovery":
        purge(access, [entry])
    assert back(alice, submission) == {"bob@example.test": "recalled"}
    assert not Entry.objects.filter(mailbox_id=bob.pk).exists()
    assert not Recoverable.objects.filter(mailbox_id=bob.pk).exists()
    assert check_store(bob.pk) == []


def test_what_was_read_or_fetched_stays(alice: Account, bob: Account) -> None:
    carol = make_account("carol@example.test")
    submission = send(alice, "bob@example.test", "carol@example.test")
    set_flags(access_for(bob, bob.pk), [entry_of(bob)], add=Flag.SEEN)
    note_opened([Entry.objects.get(pk=entry_of(carol)).message_id])
    assert back(alice, submission) == {"bob@example.test": "read", "carol@example.test": "fetched"}
    assert len(mails(bob, "inbox")) == len(mails(carol, "inbox")) == 1
    assert set(states(submission).values()) == {"delivered"}


def test_members_of_a_group_have_results_of_their_own(alice: Account, bob: Account) -> None:
    carol = make_account("carol@example.test")
    members = {"members": [bob, carol], "externals": ["guest@far.example"]}
    create_group(alice.domain, "team", name="Team", kind=Group.Kind.LIST, posting=Group.Posting.ANYONE, **members)
    submission = send(alice, "team@example.test")
    set_flags(access_for(bob, bob.pk), [entry_of(bob)], add=Flag.SEEN)
    assert back(alice, submission) == {
        "bob@example.test": "read",
        "carol@example.test": "recalled",
        "guest@far.example": "external",
    }
    assert states(submission) == {"team@example.test": "delivered"}


def test_what_no_server_has_yet_is_stopped_and_what_one_has_is_outside(alice: Account, bob: Account) -> None:
    submission = send(alice, "bob@example.test", "x@far.example", "y@far.example")
    Delivery.objects.filter(recipient="y@far.example").update(state="accepted")
    assert back(alice, submission) == {
        "bob@example.test": "recalled",
        "x@far.example": "stopped",
        "y@far.example": "external",
    }
    assert states(submission)["x@far.example"] == "cancelled"


def test_rules_of_the_manual(alice: Account, bob: Account) -> None:
    access = access_for(alice, alice.pk)
    later = send(alice, "bob@example.test", schedule_us=(int(time.time()) + 3600) * 1_000_000)
    old = send(alice, "bob@example.test")
    Submission.objects.filter(pk=old).update(created_us=int((time.time() - 16 * 86_400) * 1_000_000))
    SendSettings.objects.update(follows=False)
    unfollowed = send(alice, "bob@example.test")
    for submission in (later, old, unfollowed):
        with pytest.raises(MailError) as error:
            recall(access, submission)
        assert error.value.kind is ErrorKind.INVALID
    with pytest.raises(MailError) as error:
        recall(access_for(bob, bob.pk), old)
    assert error.value.kind is ErrorKind.NOT_FOUND
    assert not Recall.objects.exists()


def test_nobody_can_recall_anothers_mail_by_its_message_id(alice: Account, bob: Account) -> None:
    send(alice, "bob@example.test")
    eve = make_account("eve@example.test")
    SendSettings.objects.create(account=eve, follows=True)
    theirs = send(eve, "alice@example.test", envelope_from="eve@example.test", raw=RAW.replace(b"lunch", b"trap"))
    assert back(eve, theirs) == {"alice@example.test": "recalled"}
    assert len(mails(bob, "inbox")) == 1


def test_a_killed_recall_goes_on_and_does_nothing_twice(alice: Account, bob: Account, monkeypatch: Any) -> None:
    carol = make_account("carol@example.test")
    submission = send(alice, "bob@example.test", "carol@example.test")
    monkeypatch.setattr("mta.services.recall.AT_ONCE", 1)
    assert back(alice, submission) == {"bob@example.test": "recalled"}
    assert len(mails(carol, "inbox")) == 1
    assert status(access_for(alice, alice.pk), submission).is_recalling
    go_on()
    assert results(submission) == {"bob@example.test": "recalled", "carol@example.test": "recalled"}
    assert carry_out(Recall.objects.get().pk) is True
    assert RecallOutcome.objects.count() == 2
    with pytest.raises(MailError) as error:
        recall(access_for(alice, alice.pk), submission)
    assert error.value.kind is ErrorKind.EXISTS


def test_the_trouble_of_one_recall_keeps_no_other(alice: Account, bob: Account, monkeypatch: Any) -> None:
    monkeypatch.setattr("mta.services.recall.AT_ONCE", 0)
    asked = [recall(access_for(alice, alice.pk), send(alice, "bob@example.test")) for _ in range(2)]

    def settle(row: Recall, *args: Any) -> None:
        if row.pk == asked[0]:
            raise ValueError("broken")
        real(row, *args)

    real = recalling._settle
    monkeypatch.setattr(recalling, "_settle", settle)
    go_on()
    assert list(Recall.objects.filter(finished_us=None).values_list("pk", flat=True)) == asked[:1]
    monkeypatch.undo()
    go_on()
    assert not Recall.objects.filter(finished_us=None).exists()


def test_a_failing_step_of_a_monitor_keeps_the_mail(alice: Account, bob: Account, monkeypatch: Any) -> None:
    def broken(_recalled: Any) -> None:
        raise RuntimeError

    monkeypatch.setitem(steps.AFTER_RECALL, "broken", steps.AfterRecall("broken", broken))
    submission = send(alice, "bob@example.test")
    with pytest.raises(RuntimeError):
        recall(access_for(alice, alice.pk), submission)
    assert len(mails(bob, "inbox")) == 1 and results(submission) == {}
    monkeypatch.delitem(steps.AFTER_RECALL, "broken")
    go_on()
    assert mails(bob, "inbox") == []


def test_recipients_are_told_where_their_domain_wants_it(alice: Account, bob: Account) -> None:
    update_mail_policy(alice.domain, recall_notice=True)
    submission = send(alice, "bob@example.test")
    back(alice, submission)
    (notice,) = mails(bob, "inbox")
    assert b"Auto-Submitted: auto-generated" in notice and b"postmaster@example.test" in notice


def test_an_administrator_takes_read_mail_too_where_the_policy_lets_him(alice: Account, bob: Account) -> None:
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    submission = Submission.objects.get(pk=send(alice, "bob@example.test"))
    set_flags(access_for(bob, bob.pk), [entry_of(bob)], add=Flag.SEEN)
    for actor, kind in ((bob, ErrorKind.NO_PERMISSION), (boss, ErrorKind.NO_PERMISSION)):
        with pytest.raises(MailError) as error:
            recall_as_admin(submission, actor)
        assert error.value.kind is kind
    update_mail_policy(alice.domain, admin_recall=True)
    recall_as_admin(submission, boss)
    assert mails(bob, "inbox") == []
    record = Event.objects.filter(kind=Kind.ADMIN, data__action="recall_mail").get()
    assert (record.actor, record.address) == ("boss@example.test", "alice@example.test")


def test_openings_are_forgotten_when_no_recall_can_ask(alice: Account) -> None:
    note_opened([5, 5, 6])
    note_opened([5])
    assert Opening.objects.count() == 2
    Opening.objects.filter(pk=5).update(at_us=1)
    from mta.tasks import recall as task

    task()
    assert list(Opening.objects.values_list("pk", flat=True)) == [6]
