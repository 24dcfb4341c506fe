"""群发单显: copies that name one recipient alone, and what comes back for each."""

from __future__ import annotations

import smtplib
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account, Group
from accounts.selectors import access_for
from accounts.services import create_group
from core.errors import ErrorKind, MailError
from mailstore import blobs
from mailstore.message import DeliveryReport, RecipientStatus, build_dsn, read
from mailstore.message.address import Address
from mailstore.selectors.drafts import get_draft
from mta import individual
from mta.company.suppression import suppressed
from mta.models import Delivery, SendPolicy, SendSettings, Submission
from mta.outbound import worker
from mta.outbound.queue import claim
from mta.outbound.result import Result, Verdict
from mta.outbound.settle import settle
from mta.returns import INDIVIDUAL
from mta.services import SubmitRequest, submit, take_back
from mta.services.recall import recall
from mta.services.release import release
from tests.factories import make_account, make_list
from tests.mta.conftest import Running
from tests.mta.sink import Sink, remote
from tests.mta.test_bounce_texts import FAILURES, raw
from tests.mta.test_submit import mails, states

pytestmark = pytest.mark.django_db(transaction=True)

RAW = (
    b"Message-ID: <one@example.test>\r\nFrom: alice@example.test\r\n"
    b"To: =?utf-8?b?5p2O5Zub?= <x@far.example>,\r\n bob@example.test\r\n"
    b"Cc: Carol <carol@example.test>\r\nReferences: <before@example.test>\r\n"
    b"Bcc: secret@far.example\r\nSubject: offer\r\n\r\nCc: in the text\r\n"
)
ALL = ("x@far.example", "bob@example.test", "carol@example.test", "secret@far.example")


def send(author: Account, *recipients: str, **changes: Any) -> int:
    """Submit RAW individually."""
    request = SubmitRequest(author.address, recipients or ALL, RAW, individual=True, **changes)
    return submit(access_for(author, author.pk), request)


def others(recipient: str) -> list[bytes]:
    """Addresses that this recipient must not see."""
    return [each.encode() for each in ALL if each != recipient]


@pytest.fixture
def carol(alice: Account) -> Account:
    """A third one."""
    return make_account("carol@example.test", quota_bytes=alice.quota_bytes)


def test_everybody_gets_a_copy_that_names_nobody_else(
    alice: Account, bob: Account, carol: Account, settings: Any
) -> None:
    SendPolicy.objects.update_or_create(
        domain=alice.domain, defaults={"footer_on": SendPolicy.Footer.ALL, "footer_text": "Example Ltd"}
    )
    sink = Sink()
    with remote(sink) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        submission = send(alice)
        worker.send_due()
    assert set(states(submission).values()) == {"accepted", "delivered"}
    got = {taken.recipients[0]: taken.content for taken in sink.taken}
    assert all(len(taken.recipients) == 1 for taken in sink.taken)
    got |= {person.address: mails(person, "inbox")[0] for person in (bob, carol)}
    assert set(got) == set(ALL)
    for recipient, content in got.items():
        assert not [each for each in others(recipient) if each in content]
        assert "Example Ltd" in (read(content).text or "")
        copy = read(content)
        assert [each.address for each in copy.to] == [recipient]
        assert not copy.cc
        assert not copy.bcc
        assert "Cc: in the text" in (copy.text or "")
        assert copy.references[-2:] == ("before@example.test", "one@example.test")
    assert read(got["x@far.example"]).to[0].name == "李四"
    assert read(got["carol@example.test"]).to[0].name == "Carol"
    assert len({read(each).message_id for each in got.values()} | {"one@example.test"}) == 5
    assert mails(alice, "sent") == [RAW]


def test_what_is_shared_names_nobody_however_he_was_named() -> None:
    raw = (
        b"Resent-To: a@far.example\r\nresent-cc : b@far.example\r\nSubject: to: x\r\nTO:\r\n c@far.example,\r\n\td@far.example\r\n"
        b"X-To: kept\r\nBCC: e@far.example\r\n\r\nTo: in the text\r\n"
    )
    assert individual.shared(raw) == (
        b"To: undisclosed-recipients:;\r\nSubject: to: x\r\nX-To: kept\r\n\r\nTo: in the text\r\n"
    )


def test_names_are_those_that_the_author_gave_in_any_field() -> None:
    raw = (
        b"To: Li <X@Far.example>, y@far.example\r\nCc: Mr Wu <z@far.example>\r\nBcc: Mr Hu <h@far.example>\r\n\r\nx\r\n"
    )
    found = {"x@far.example": "Li", "z@far.example": "Mr Wu", "h@far.example": "Mr Hu"}
    assert individual.names_in(raw) == found


def test_a_copy_names_its_recipient_and_the_last_of_the_conversation() -> None:
    chain = " ".join(f"<{number}@far.example>" for number in range(30)).encode()
    raw = (
        b"To: nobody:;\r\nMessage-ID: <m@example.test>\r\nReferences: "
        + chain
        + b"\r\nSubject: s\r\n\r\nReferences: x\r\n"
    )
    copy = individual.own_copy(raw, "m@example.test", "x@far.example", "Li")
    found = read(copy)
    assert found.references == (*(f"{number}@far.example" for number in range(11, 30)), "m@example.test")
    assert (found.message_id or "").startswith("m.") and (found.message_id or "").endswith("@example.test")
    assert copy.endswith(b"Subject: s\r\n\r\nReferences: x\r\n")
    assert [copy.lower().count(name) for name in (b"\nto:", b"message-id:", b"references: <")] == [0, 1, 1]
    assert individual.own_copy(raw, "m@example.test", "x@far.example", "Li") == copy
    assert b"Message-ID" not in individual.own_copy(raw, "", "x@far.example")


@pytest.mark.parametrize("message_id", ["x" * 300, "x" * 300 + "@example.test", "x@" + "y" * 300])
def test_an_id_of_ones_own_is_bounded_and_his_alone(message_id: str) -> None:
    mine, his = (individual.own_id(message_id, each) for each in ("a@far.example", "b@far.example"))
    assert mine != his and len(mine) <= 250


def test_an_answer_finds_the_authors_mail(alice: Account, bob: Account) -> None:
    send(alice, "bob@example.test")
    copy = read(mails(bob, "inbox")[0])
    assert copy.message_id == individual.own_id("one@example.test", "BOB@example.test")
    assert copy.references[-1] == "one@example.test"


def test_nothing_stored_for_sending_names_a_recipient(alice: Account) -> None:
    submission = Submission.objects.get(pk=send(alice))
    stored = blobs.get(submission.wire_blob_id)
    assert not [each for each in ALL if each.encode() in stored]
    assert stored.startswith(b"To: undisclosed-recipients:;\r\n")
    assert stored.endswith(b"\r\n\r\nCc: in the text\r\n")


def test_after_the_undo_time_it_is_the_same(alice: Account, bob: Account, carol: Account, settings: Any) -> None:
    settings.UNDO_SEND_S = 600
    submission = send(alice)
    assert set(states(submission).values()) == {"held"}
    assert release(submission)
    assert read(mails(bob, "inbox")[0]).to[0].address == "bob@example.test"
    assert read(mails(carol, "inbox")[0]).to[0].name == "Carol"
    assert not [each for each in others(bob.address) if each in mails(bob, "inbox")[0]]


def test_what_is_taken_back_stays_individual(alice: Account, settings: Any) -> None:
    settings.UNDO_SEND_S = 600
    access = access_for(alice, alice.pk)
    draft = take_back(access, send(alice))
    assert get_draft(access, draft).options["individual"] is True


def test_a_list_and_its_member_get_one_copy_and_guests_see_the_list_alone(
    alice: Account, bob: Account, settings: Any
) -> None:
    make_list(alice.domain, "team", [bob], "guest@far.example")
    sink = Sink()
    with remote(sink) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        send(alice, "team@example.test", "bob@example.test", "x@far.example")
        worker.send_due()
    (copy,) = mails(bob, "inbox")
    assert [each.address for each in read(copy).to] == ["team@example.test"]
    guest = next(each.content for each in sink.taken if each.recipients == ["guest@far.example"])
    assert [each.address for each in read(guest).to] == ["team@example.test"]
    assert b"x@far.example" not in guest


def test_every_copy_can_be_recalled(alice: Account, bob: Account, carol: Account) -> None:
    SendSettings.objects.create(account=alice, follows=True)
    submission = send(alice, "bob@example.test", "carol@example.test")
    recall(access_for(alice, alice.pk), submission)
    assert set(states(submission).values()) == {"recalled"}
    assert mails(bob, "inbox") == mails(carol, "inbox") == []


def test_too_many_copies_for_colleagues_are_refused_before_anything_is_written(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(individual, "LOCAL_MAX_BYTES", len(RAW) * 2 - 1)
    with pytest.raises(MailError) as caught:
        send(alice)
    assert (caught.value.kind, caught.value.data["field"], caught.value.data["limit"]) == (
        ErrorKind.LIMIT,
        "individual",
        1,
    )
    assert not Submission.objects.exists()
    send(alice, "bob@example.test", "x@far.example")


def report(action: str, status: str = "5.1.1", recipient: str = "moved@elsewhere.example") -> bytes:
    """What another server says later."""
    about = RecipientStatus(recipient, action, status, diagnostic="550 no such user")
    return build_dsn(
        DeliveryReport(
            from_=Address("", "mailer-daemon@far.example"),
            to="somebody@example.test",
            subject="Undelivered",
            text="It failed.",
            reporting_mta="mx.far.example",
            recipients=[about],
            original=RAW,
            date=timezone.now(),
        )
    )


def sent_away(author: Account, settings: Any) -> tuple[int, str]:
    """A submission that another server took, and the envelope sender it saw."""
    sink = Sink()
    with remote(sink) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        submission = send(author, "x@far.example", "y@far.example")
        worker.send_due()
    senders = {taken.recipients[0]: taken.sender for taken in sink.taken}
    assert len(set(senders.values())) == 2
    assert all(each.endswith("@example.test") and each.startswith("verp=") for each in senders.values())
    return submission, senders["x@far.example"]


def test_a_bounce_finds_its_delivery_and_stops_later_mail(running: Running, alice: Account, settings: Any) -> None:
    submission, sender = sent_away(alice, settings)
    with running.client() as client:
        client.sendmail("", [sender.upper()], report("delayed"))
    assert states(submission)["x@far.example"] == "accepted"
    with running.client() as client:
        client.sendmail("", [sender.upper()], report("failed"))
    assert states(submission) == {"x@far.example": "bounced", "y@far.example": "accepted"}
    row = Delivery.objects.get(recipient="x@far.example")
    assert (row.code, row.text) == ("5.1.1", "550 no such user")
    assert suppressed(alice.domain_id, ["x@far.example", "moved@elsewhere.example"]) == {"x@far.example"}
    assert len(mails(alice, "inbox")) == 2
    assert states(send(alice, "x@far.example")) == {"x@far.example": "bounced"}


def test_a_report_in_words_counts_too(running: Running, alice: Account, settings: Any) -> None:
    submission, sender = sent_away(alice, settings)
    with running.client() as client:
        client.sendmail("", [sender], raw(FAILURES["qmail"][0]))
    row = Delivery.objects.get(submission=submission, recipient="x@far.example")
    assert (row.state, row.code) == ("bounced", "5.1.1")
    assert suppressed(alice.domain_id, ["x@far.example"]) == {"x@far.example"}


def test_a_report_that_is_quicker_than_our_own_writing_down_counts_too(
    running: Running, alice: Account, settings: Any
) -> None:
    submission, sender = sent_away(alice, settings)
    mine = Delivery.objects.filter(submission=submission, recipient="x@far.example")
    mine.update(state="queued", next_attempt_us=0)
    (claimed,) = claim(1 << 61)
    with running.client() as client:
        client.sendmail("", [sender], report("failed"))
    settle(Submission.objects.get(pk=submission), [claimed], [Result(claimed.recipient, Verdict.ACCEPTED, "2.0.0", "")])
    assert states(submission)["x@far.example"] == "bounced"
    assert suppressed(alice.domain_id, ["x@far.example"]) == {"x@far.example"}


def test_a_lists_members_elsewhere_have_senders_of_their_own_and_the_dead_get_no_more(
    running: Running, alice: Account, settings: Any
) -> None:
    externals = ["x@far.example", "y@far.example"]
    create_group(alice.domain, "team", name="Team", posting=Group.Posting.ANYONE, externals=externals)
    sink = Sink()
    with remote(sink) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        submit(access_for(alice, alice.pk), SubmitRequest(alice.address, ["team@example.test"], RAW))
        worker.send_due()
        senders = {taken.recipients[0]: taken.sender for taken in sink.taken}
        assert set(senders) == set(externals)
        assert len(set(senders.values())) == 2
        with running.client() as client:
            client.sendmail("", [senders["x@far.example"]], report("failed"))
        system = Account.objects.get(domain=alice.domain, kind=Account.Kind.SYSTEM)
        assert len(mails(system, "inbox")) == 1
        assert mails(alice, "inbox") == []
        submit(access_for(alice, alice.pk), SubmitRequest(alice.address, ["team@example.test"], RAW))
        worker.send_due()
    assert [taken.recipients[0] for taken in sink.taken].count("x@far.example") == 1
    assert list(Delivery.objects.filter(recipient="x@far.example").values_list("state", flat=True)) == ["bounced"] * 2


def test_an_automatic_answer_is_the_authors_and_changes_nothing(
    running: Running, alice: Account, settings: Any
) -> None:
    submission, sender = sent_away(alice, settings)
    with running.client() as client:
        client.sendmail("x@far.example", [sender], b"From: x@far.example\r\nSubject: away\r\n\r\nBack soon\r\n")
    assert states(submission)["x@far.example"] == "accepted"
    assert len(mails(alice, "inbox")) == 1


def test_nobody_else_can_make_such_an_address(running: Running, alice: Account, settings: Any) -> None:
    _submission, sender = sent_away(alice, settings)
    local, _, domain = sender.partition("@")
    other = "a" if local[6] != "a" else "b"
    for forged in (f"{local}f@{domain}", f"{local[:6]}{other}{local[7:]}@{domain}", f"verp=a=1=zz@{domain}"):
        with running.client() as client, pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("", [forged], report("failed"))
    ordinary = submit(access_for(alice, alice.pk), SubmitRequest(alice.address, ["z@far.example"], RAW))
    row = Delivery.objects.get(submission=ordinary)
    with running.client() as client, pytest.raises(smtplib.SMTPRecipientsRefused):
        client.sendmail("", [INDIVIDUAL.address(row.pk, "example.test", 1_900_000_000)], report("failed"))
