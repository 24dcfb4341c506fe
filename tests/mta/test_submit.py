"""Submitting: policy, rows, the Sent entry, local copies, reports, undo."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Account, Group
from accounts.selectors import access_for
from accounts.services import create_group, grant_mailbox, suspend_account, update_account
from core.access import Access, Right, system_access
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from mailstore.models import Entry, Folder, Message
from mailstore.selectors import entries
from mta.models import Delivery, Submission
from mta.outbound import worker
from mta.selectors import deliveries
from mta.services import SubmitRequest, submit, take_back
from mta.services.release import release

pytestmark = pytest.mark.django_db(transaction=True)

RAW = (
    b"Message-ID: <one@example.test>\r\nFrom: alice@example.test\r\nTo: bob@example.test\r\n"
    b"Bcc: secret@far.example\r\nSubject: lunch\r\n\r\nNoodles?\r\n"
)


def request(*recipients: str, **changes: Any) -> SubmitRequest:
    """A request of alice."""
    values: dict[str, Any] = {"envelope_from": "alice@example.test", "recipients": recipients, "raw": RAW}
    return SubmitRequest(**(values | changes))


def mails(account: Account, role: str) -> list[bytes]:
    """The stored bytes in one folder, oldest first."""
    folder = Folder.objects.get(mailbox_id=account.pk, role=role)
    access = system_access(account.pk)
    return [entries.raw(access, entry.pk) for entry in Entry.objects.filter(folder_id=folder.pk).order_by("uid")]


def states(submission: int) -> dict[str, str]:
    """Recipient to state."""
    return dict(Delivery.objects.filter(submission=submission).values_list("recipient", "state"))


def test_a_colleague_has_it_at_once_and_the_author_a_copy_with_bcc(alice: Account, bob: Account) -> None:
    submission = submit(access_for(alice, alice.pk), request("bob@example.test"))
    (received,) = mails(bob, "inbox")
    (sent,) = mails(alice, "sent")
    assert received.startswith(b"Return-Path: <alice@example.test>\r\nReceived: ")
    assert received.endswith(b"\r\nNoodles?\r\n")
    assert b"Bcc" not in received
    assert sent == RAW
    assert states(submission) == {"bob@example.test": "delivered"}
    assert Submission.objects.get(pk=submission).subject == "lunch"
    assert Entry.objects.get(pk=Submission.objects.get(pk=submission).sent_entry_id).flags & 1


def test_a_stranger_elsewhere_waits_in_the_queue(alice: Account) -> None:
    submission = submit(access_for(alice, alice.pk), request("x@far.example", "y@FAR.example"))
    assert states(submission) == {"x@far.example": "queued", "y@far.example": "queued"}
    assert {row.domain for row in Delivery.objects.all()} == {"far.example"}


def test_each_recipient_counts_once(alice: Account, bob: Account) -> None:
    submission = submit(access_for(alice, alice.pk), request("bob@example.test", "Bob@Example.test"))
    assert list(states(submission)) == ["bob@example.test"]
    assert len(mails(bob, "inbox")) == 1


def test_writing_to_oneself_arrives_and_is_kept(alice: Account) -> None:
    submit(access_for(alice, alice.pk), request("alice@example.test"))
    assert len(mails(alice, "inbox")) == len(mails(alice, "sent")) == 1


def test_without_a_copy_there_is_none(alice: Account, bob: Account) -> None:
    submission = submit(access_for(alice, alice.pk), request("bob@example.test", save_to_sent=False))
    assert mails(alice, "sent") == []
    assert Submission.objects.get(pk=submission).sent_blob_id is None


def test_an_unknown_colleague_comes_back_as_a_report_in_the_authors_language(alice: Account) -> None:
    submission = submit(access_for(alice, alice.pk), request("nobody@example.test"))
    assert states(submission) == {"nobody@example.test": "bounced"}
    (report,) = mails(alice, "inbox")
    assert report.startswith(b"Return-Path: <>\r\n")
    assert b"report-type=delivery-status" in report.replace(b'"', b"")
    assert b"Final-Recipient: rfc822; nobody@example.test" in report
    assert b"Status: 5.1.1" in report
    assert b"Action: failed" in report
    assert b"mailer-daemon@example.test" in report
    assert b"Auto-Submitted: auto-replied" in report


def test_a_full_and_a_disabled_mailbox_are_reported(alice: Account, bob: Account) -> None:
    update_account(bob, quota_bytes=0)
    submission = submit(access_for(alice, alice.pk), request("bob@example.test"))
    assert Delivery.objects.get(submission=submission).code == "5.2.2"
    suspend_account(bob)
    submission = submit(access_for(alice, alice.pk), request("bob@example.test"))
    assert Delivery.objects.get(submission=submission).code == "5.2.1"
    assert mails(bob, "inbox") == []


def test_everybody_in_a_group_gets_it_once_and_outsiders_from_the_system(alice: Account, bob: Account) -> None:
    group = create_group(
        alice.domain,
        "team",
        name="Team",
        kind=Group.Kind.LIST,
        posting=Group.Posting.MEMBERS,
        members=[alice, bob],
        externals=["guest@far.example"],
    )
    assert group
    submission = submit(access_for(alice, alice.pk), request("team@example.test", "bob@example.test"))
    assert len(mails(bob, "inbox")) == len(mails(alice, "inbox")) == 1
    assert states(submission) == {"team@example.test": "delivered", "bob@example.test": "delivered"}
    outside = Delivery.objects.get(recipient="guest@far.example").submission
    assert outside.envelope_from == "mailer-daemon@example.test"
    assert outside.origin == "system"


def test_who_may_not_write_to_a_group_is_told(alice: Account, bob: Account) -> None:
    create_group(
        alice.domain, "closed", name="Closed", kind=Group.Kind.LIST, posting=Group.Posting.MEMBERS, members=[bob]
    )
    submission = submit(access_for(alice, alice.pk), request("closed@example.test"))
    assert Delivery.objects.get(submission=submission).code == "5.7.1"
    assert mails(bob, "inbox") == []


def test_policy_refuses_before_anything_is_written(alice: Account, bob: Account) -> None:
    alice.domain.max_recipients, alice.domain.message_max_bytes = 2, len(RAW)
    alice.domain.save()
    access = access_for(alice, alice.pk)
    refused = [
        (access, request("a@b.example", "b@b.example", "c@b.example"), ErrorKind.LIMIT),
        (access, request("bob@example.test", raw=RAW + b"x"), ErrorKind.TOO_LARGE),
        (access, request("bob@example.test", envelope_from="bob@example.test"), ErrorKind.NO_PERMISSION),
        (access, request("bob@example.test", envelope_from="x@far.example"), ErrorKind.NO_PERMISSION),
        (access, request("not an address"), ErrorKind.INVALID),
        (access, request(), ErrorKind.INVALID),
        (Access(alice.pk, alice.pk, Right.READ), request("bob@example.test"), ErrorKind.NO_PERMISSION),
    ]
    for who, what, kind in refused:
        with pytest.raises(MailError) as caught:
            submit(who, what)
        assert caught.value.kind is kind
    assert not Submission.objects.exists()
    assert not Message.objects.exists()


def test_a_mailbox_granted_for_sending_sends_and_keeps_its_own_copy(alice: Account, bob: Account) -> None:
    with pytest.raises(MailError):
        access_for(bob, alice.pk)
    grant_mailbox(alice, bob, "sender")
    submit(access_for(bob, alice.pk), request("bob@example.test"))
    assert len(mails(alice, "sent")) == 1
    assert Submission.objects.get().actor_id == bob.pk


def test_what_is_held_can_be_taken_back_and_leaves_no_trace(alice: Account, bob: Account, settings: Any) -> None:
    settings.UNDO_SEND_S = 600
    access = access_for(alice, alice.pk)
    submission = submit(access, request("bob@example.test", "x@far.example"))
    assert set(states(submission).values()) == {"held"}
    assert mails(alice, "sent") == mails(bob, "inbox") == []
    take_back(access, submission)
    assert set(states(submission).values()) == {"cancelled"}
    assert release(submission) is False
    assert mails(bob, "inbox") == []
    with pytest.raises(MailError) as caught:
        take_back(access, submission)
    assert caught.value.kind is ErrorKind.IN_USE


def test_held_mail_leaves_when_its_time_is_over_and_then_it_is_too_late(
    alice: Account, bob: Account, settings: Any
) -> None:
    settings.UNDO_SEND_S = 600
    access = access_for(alice, alice.pk)
    submission = submit(access, request("bob@example.test", "nobody@example.test"))
    Delivery.objects.update(next_attempt_us=0)
    worker.send_due()
    assert states(submission) == {"bob@example.test": "delivered", "nobody@example.test": "bounced"}
    assert len(mails(alice, "sent")) == len(mails(bob, "inbox")) == len(mails(alice, "inbox")) == 1
    assert release(submission) is False
    assert len(mails(bob, "inbox")) == 1
    with pytest.raises(MailError):
        take_back(access, submission)


@pytest.mark.parametrize(("undo_s", "state"), [(None, "held"), (0, "delivered"), (900, "held")])
def test_a_caller_may_say_how_long_a_mail_can_be_taken_back(
    alice: Account, bob: Account, settings: Any, undo_s: int | None, state: str
) -> None:
    settings.UNDO_SEND_S = 600
    submission = submit(access_for(alice, alice.pk), request(bob.address, undo_s=undo_s))
    assert states(submission) == {bob.address: state}
    row = Submission.objects.get(pk=submission)
    wanted = 600 if undo_s is None else undo_s
    assert row.release_us == (row.created_us + wanted * 1_000_000 if wanted else 0)


def test_a_strangers_submission_is_not_found(alice: Account, charlie: Account) -> None:
    submission = submit(access_for(alice, alice.pk), request("x@far.example"))
    stranger = access_for(charlie, charlie.pk)
    for look in (deliveries, take_back):
        with pytest.raises(MailError) as caught:
            look(stranger, submission)
        assert caught.value.kind is ErrorKind.NOT_FOUND
    (row,) = deliveries(access_for(alice, alice.pk), submission)
    assert (row.recipient, row.state, row.tries) == ("x@far.example", "queued", 0)


def test_every_local_outcome_is_in_the_log(alice: Account, bob: Account) -> None:
    submit(access_for(alice, alice.pk), request("bob@example.test", "nobody@example.test"))
    events = Event.objects.filter(kind=Kind.DELIVERY).order_by("id")
    assert [(event.data["to"], event.succeeded) for event in events] == [
        ("bob@example.test", True),
        ("nobody@example.test", False),
    ]
