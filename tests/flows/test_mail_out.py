"""The journey of a message from a mail program to remote servers, over real sockets."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from accounts.models import Account
from accounts.selectors import access_for
from mta.models import Accepted, Delivery, SendSettings, Submission
from mta.outbound import settle, worker
from mta.outbound.queue import claim
from mta.outbound.result import Verdict, for_all
from mta.services import SubmitRequest, submit
from tests.dialogue import client_tls
from tests.factories import PASSWORD
from tests.flows.test_mail_in import eventually
from tests.mta.conftest import Running, Talk
from tests.mta.names import serving
from tests.mta.sink import Sink, remote
from tests.mta.test_submit import RAW, mails, states

pytestmark = pytest.mark.django_db(transaction=True)


def write(author: Account, *recipients: str) -> int:
    """Submit as `author`."""
    return submit(access_for(author, author.pk), SubmitRequest(author.address, recipients, RAW))


def come_due() -> None:
    """As if the waiting time were over."""
    Delivery.objects.filter(state="deferred").update(next_attempt_us=0)


def test_a_mail_program_sends_and_the_remote_server_has_it(
    running: Running, alice: Account, bob: Account, settings: Any
) -> None:
    sink = Sink()
    SendSettings.objects.create(account=alice, keeps_program_mail=True)
    with remote(sink) as port:
        settings.ROUTES = {"far.example": f"127.0.0.1:{port}"}
        with running.client(running.submission) as client:
            client.starttls(context=client_tls())
            client.login(alice.address, PASSWORD)
            client.sendmail(
                alice.address,
                ["x@far.example", "bob@example.test"],
                b"From: alice@example.test\r\nBcc: hidden@far.example\r\nSubject: both\r\n\r\nx\r\n",
            )
        worker.send_due()
    (taken,) = sink.taken
    assert (taken.sender, taken.recipients) == ("alice@example.test", ["x@far.example"])
    assert b"Bcc" not in taken.content
    assert b"with ESMTPSA" in taken.content
    assert b"Message-ID: <" in taken.content
    assert b"Date: " in taken.content
    assert b"Bcc: hidden@far.example" in mails(alice, "sent")[0]
    assert len(mails(bob, "inbox")) == 1
    delivery = Delivery.objects.get(recipient="x@far.example")
    assert (delivery.state, delivery.code, delivery.remote_host) == ("accepted", "2.6.0", "127.0.0.1")


def test_a_deferred_mail_is_tried_again_and_arrives(alice: Account, settings: Any) -> None:
    sink = Sink()
    sink.replies = {"x@far.example": "451 4.7.1 greylisted"}
    with remote(sink) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        submission = write(alice, "x@far.example", "y@far.example")
        worker.send_due()
        assert states(submission) == {"x@far.example": "deferred", "y@far.example": "accepted"}
        worker.send_due()
        assert Delivery.objects.get(recipient="x@far.example").tries == 1
        sink.replies.clear()
        come_due()
        worker.send_due()
    assert states(submission)["x@far.example"] == "accepted"
    assert [taken.recipients for taken in sink.taken] == [["y@far.example"], ["x@far.example"]]
    assert mails(alice, "inbox") == []


def test_a_refusal_comes_back_as_a_report(alice: Account, settings: Any) -> None:
    sink = Sink()
    sink.replies = {"no@far.example": "550 5.1.1 no such user", "spam@far.example": "550 5.7.1 go away"}
    with remote(sink) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        submission = write(alice, "no@far.example", "yes@far.example", "spam@far.example")
        worker.send_due()
        worker.send_due()
    assert sorted(states(submission).values()) == ["accepted", "bounced", "bounced"]
    (report,) = mails(alice, "inbox")
    assert b"Final-Recipient: rfc822; no@far.example" in report
    assert b"Final-Recipient: rfc822; spam@far.example" in report
    assert b"yes@far.example" not in report.partition(b"message/delivery-status")[2].partition(b"Subject: lunch")[0]
    assert b"Diagnostic-Code: smtp; 550 no such user" in report


def test_what_nobody_answers_for_long_enough_bounces(alice: Account, settings: Any) -> None:
    settings.ROUTES = {"*": "127.0.0.1:1"}
    submission = write(alice, "x@far.example")
    worker.send_due()
    assert states(submission) == {"x@far.example": "deferred"}
    assert Delivery.objects.get().code == "4.4.1"
    settings.RETRY_FOR_S = 0
    come_due()
    worker.send_due()
    assert states(submission) == {"x@far.example": "bounced"}
    assert b"Status: 4.4.7" in mails(alice, "inbox")[0]


def test_a_domain_that_takes_no_mail_bounces_at_once(alice: Account, settings: Any) -> None:
    settings.ROUTES = {}
    with serving({("null.example", "MX"): ["0 ."]}):
        submission = write(alice, "x@null.example", "x@missing.example")
        worker.send_due()
    assert set(states(submission).values()) == {"bounced"}
    assert {row.code for row in Delivery.objects.all()} == {"5.1.10", "5.1.2"}
    assert len(mails(alice, "inbox")) == 2


def test_a_failure_of_mail_without_an_author_tells_nobody(alice: Account, settings: Any) -> None:
    settings.ROUTES = {"*": "127.0.0.1:1"}
    settings.RETRY_FOR_S = -1
    access = access_for(alice, alice.pk)
    submit(access, SubmitRequest("", ["x@far.example"], RAW, save_to_sent=False, origin="system"))
    worker.send_due()
    assert Delivery.objects.get().state == "bounced"
    assert mails(alice, "inbox") == []


def test_a_worker_that_died_between_sending_and_writing_sends_again_and_never_loses(
    alice: Account, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = Sink()

    def die(*args: object) -> None:
        raise SystemError

    with remote(sink) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        submission = write(alice, "x@far.example")
        with monkeypatch.context() as patch:
            patch.setattr(worker, "settle_all", die)
            worker.send_due()
        assert states(submission) == {"x@far.example": "sending"}
        Delivery.objects.update(next_attempt_us=0)
        worker.send_due()
    assert states(submission) == {"x@far.example": "accepted"}
    assert len(sink.taken) == 2


def test_a_worker_whose_claim_has_passed_to_another_changes_nothing(alice: Account, settings: Any) -> None:
    submission = Submission.objects.get(pk=write(alice, "x@far.example"))
    slow = claim(2**60)
    Delivery.objects.update(next_attempt_us=0)
    fast = claim(2**60 + 1)
    settle.settle(submission, fast, for_all(["x@far.example"], Verdict.ACCEPTED, "2.0.0", "ok"))
    settle.settle(submission, slow, for_all(["x@far.example"], Verdict.REFUSED, "5.0.0", "no"))
    assert states(submission.pk) == {"x@far.example": "accepted"}
    assert mails(alice, "inbox") == []


def test_a_submission_whose_answer_was_lost_is_sent_once(running: Running, alice: Account, bob: Account) -> None:
    def hand_over(*, read_the_answer: bool) -> str:
        talk = Talk(running.submissions, tls=True)
        login = base64.b64encode(f"\0alice@example.test\0{PASSWORD}".encode()).decode()
        for line in ("EHLO client", f"AUTH PLAIN {login}", "MAIL FROM:<alice@example.test>"):
            talk.say(line)
        for line in ("RCPT TO:<bob@example.test>", "RCPT TO:<x@far.example>", "DATA"):
            talk.say(line)
        talk.send(RAW.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        answer = talk.reply() if read_the_answer else ""
        if read_the_answer:
            talk.say("NOOP")
        talk.file.close()
        talk.close()
        return answer

    SendSettings.objects.create(account=alice, keeps_program_mail=True)
    hand_over(read_the_answer=False)
    eventually(lambda: Submission.objects.count() == 1)
    assert hand_over(read_the_answer=True).startswith("250")
    assert Submission.objects.count() == Delivery.objects.filter(recipient="x@far.example").count() == 1
    assert len(mails(bob, "inbox")) == len(mails(alice, "sent")) == 1
    assert Accepted.objects.count() == 1
    Accepted.objects.all().delete()
    assert hand_over(read_the_answer=True).startswith("250")
    eventually(lambda: not Accepted.objects.exists())
    assert len(mails(bob, "inbox")) == 2
