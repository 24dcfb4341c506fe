"""What authors ask to be told, from the mail program to the report or to the next server (RFC 3461, RFC 8689)."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Account
from accounts.selectors import access_for
from mta.models import Delivery
from mta.outbound import worker
from mta.services import SubmitRequest, submit
from mta.wishes import RecipientWish, Wishes
from tests.mta.scripted import scripted
from tests.mta.sink import Sink, remote
from tests.mta.test_submit import mails

pytestmark = pytest.mark.django_db(transaction=True)

RAW = b"From: alice@example.test\r\nTo: x@far.example\r\nSubject: hi\r\n\r\nHello\r\n"


def write(author: Account, recipients: dict[str, RecipientWish], *, origin: str = "smtp", **wishes: Any) -> int:
    wanted = Wishes(recipients=recipients, **wishes)
    request = SubmitRequest(author.address, list(recipients), RAW, origin=origin, wishes=wanted)
    return submit(access_for(author, author.pk), request)


def test_a_delivery_to_a_colleague_is_confirmed_on_request(alice: Account, bob: Account) -> None:
    wish = RecipientWish("SUCCESS", "rfc822;the+2Bboss@example.test")
    write(alice, {"bob@example.test": wish}, envelope_id="QQ+2B1", returned="FULL")
    [report] = mails(alice, "inbox")
    assert report.startswith(b"Return-Path: <>\r\n")
    for line in (
        b"Original-Envelope-Id: QQ+1",
        b"Original-Recipient: rfc822; the+boss@example.test",
        b"Final-Recipient: rfc822; bob@example.test",
        b"Action: delivered",
        b"Status: 2.1.5",
        b"Content-Type: message/rfc822",
    ):
        assert line in report
    assert len(mails(bob, "inbox")) == 1


def test_nothing_is_confirmed_unasked(alice: Account, bob: Account) -> None:
    write(alice, {"bob@example.test": RecipientWish("FAILURE")})
    assert mails(alice, "inbox") == []


def test_silence_is_kept_about_failures_too(alice: Account) -> None:
    write(alice, {"nobody@example.test": RecipientWish("NEVER"), "none@example.test": RecipientWish("SUCCESS")})
    assert mails(alice, "inbox") == []
    write(alice, {"nobody@example.test": RecipientWish("FAILURE")})
    assert b"Action: failed" in mails(alice, "inbox")[0]


def test_a_server_that_reports_nothing_is_said_to_have_taken_it(alice: Account, settings: Any) -> None:
    with remote(Sink()) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        write(alice, {"x@far.example": RecipientWish("SUCCESS"), "y@far.example": RecipientWish()})
        worker.send_due()
    [report] = mails(alice, "inbox")
    assert report.count(b"Action: relayed") == 1
    assert b"y@far.example" not in report


def test_a_server_that_reports_gets_the_wish_and_the_duty(alice: Account, settings: Any) -> None:
    with scripted("DSN", "8BITMIME") as server:
        settings.ROUTES = {"*": f"127.0.0.1:{server.port}"}
        wishes = {
            "x@far.example": RecipientWish("FAILURE,SUCCESS", "rfc822;x@far.example"),
            "y@far.example": RecipientWish(),
        }
        write(alice, wishes, returned="HDRS", envelope_id="id1")
        worker.send_due()
    assert "MAIL FROM:<alice@example.test> RET=HDRS ENVID=id1" in server.said
    assert "RCPT TO:<x@far.example> NOTIFY=FAILURE,SUCCESS ORCPT=rfc822;x@far.example" in server.said
    assert "RCPT TO:<y@far.example>" in server.said
    assert mails(alice, "inbox") == []


def test_a_failure_at_a_remote_server_follows_the_wish(alice: Account, settings: Any) -> None:
    sink = Sink()
    sink.replies = {"x@far.example": "550 5.1.1 no", "y@far.example": "550 5.1.1 no"}
    with remote(sink) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        write(alice, {"x@far.example": RecipientWish("NEVER"), "y@far.example": RecipientWish("FAILURE")})
        worker.send_due()
    [report] = mails(alice, "inbox")
    assert b"y@far.example" in report
    assert b"x@far.example\r\n" not in report.partition(b"message/delivery-status")[2].partition(b"rfc822-headers")[0]


def test_what_requires_tls_goes_to_no_server_that_does_not_promise_it(alice: Account, settings: Any) -> None:
    with scripted("8BITMIME") as server:
        settings.ROUTES = {"*": f"127.0.0.1:{server.port}"}
        write(alice, {"x@far.example": RecipientWish()}, require_tls=True)
        worker.send_due()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.code) == ("bounced", "5.7.30")
    assert not any(line.startswith("MAIL") for line in server.said)


def test_a_certificate_that_nobody_signed_is_not_enough_for_it(alice: Account, settings: Any) -> None:
    from core.connection import server_tls

    sink = Sink()
    with remote(sink, tls=server_tls()) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        write(alice, {"x@far.example": RecipientWish()}, require_tls=True)
        worker.send_due()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.code) == ("deferred", "4.7.5")
    assert sink.taken == []
