"""The trace block, loops, forged results."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import ErrorKind, MailError
from mta.inbound.trace import HEADER_MAX_BYTES, RECEIVED_MAX, Arrival, checked_header, trace_block, without_our_results

AT = 1_700_000_000.0


def arrival(**changes: Any) -> Arrival:
    """How a mail came."""
    values: dict[str, Any] = {"queue_id": "q1", "at_s": AT, "helo": "mx.far.example", "remote_address": "192.0.2.7"}
    return Arrival(**(values | {"protocol": "ESMTPS", "tls": "TLSv1.3 X"} | changes))


def test_the_block_says_who_where_how_and_when_and_names_no_recipient(settings: Any) -> None:
    settings.EHLO_NAME = "mail.example.test"
    assert trace_block(arrival(), "a@far.example").decode() == (
        "Return-Path: <a@far.example>\r\n"
        "Received: from mx.far.example ([192.0.2.7])\r\n"
        "\tby mail.example.test with ESMTPS (TLSv1.3 X)\r\n"
        "\tid q1; Tue, 14 Nov 2023 22:13:20 +0000\r\n"
    )


@pytest.mark.parametrize("helo", ["a)\r\nEvil: 1", "x (y) z", "ü", "a;b", ""])
def test_a_hostile_name_cannot_leave_its_place(helo: str) -> None:
    block = trace_block(arrival(helo=helo), "")
    assert block.count(b"\r\n") == 4
    assert b"Evil:" not in block.replace(b"?Evil:", b"")


def test_an_ipv6_client_is_written_as_a_literal() -> None:
    assert b"([IPv6:2001:db8::1])" in trace_block(arrival(remote_address="2001:db8::1"), "")


def test_a_mail_that_went_round_too_often_is_stopped() -> None:
    line = b"Received: from a by b; x\r\n"
    checked_header(line * RECEIVED_MAX + b"Subject: x\r\n\r\n" + line * 100)
    with pytest.raises(MailError) as caught:
        checked_header(line * (RECEIVED_MAX + 1) + b"\r\nx")
    assert (caught.value.kind, caught.value.data["part"]) == (ErrorKind.LIMIT, "received")


def test_a_header_without_an_end_in_sight_is_refused() -> None:
    with pytest.raises(MailError) as caught:
        checked_header(b"X: " + b"a" * HEADER_MAX_BYTES + b"\r\n\r\nbody")
    assert caught.value.kind is ErrorKind.TOO_LARGE


@pytest.mark.parametrize(
    ("message", "header"),
    [(b"A: b\r\n\r\nbody", b"\r\nA: b"), (b"\r\nbody", b"\r\n"), (b"A: b\r\n", b"\r\nA: b\r\n"), (b"", b"\r\n")],
)
def test_the_header_ends_at_the_empty_line(message: bytes, header: bytes) -> None:
    assert checked_header(message) == header


CLAIMS = [
    b"Authentication-Results: mail.example.test; spf=pass\r\n",
    b"authentication-results:mail.example.test;dkim=pass\r\n",
    b"Authentication-Results: (comment) MAIL.EXAMPLE.TEST 1; none\r\n",
    b"Authentication-Results:\r\n\tmail.example.test; spf=pass\r\n",
    b'Authentication-Results: "mail.example.test"; spf=pass\r\n',
    b"Authentication-Results : mail.example.test; spf=pass\r\n",
]


@pytest.mark.parametrize("claim", CLAIMS)
def test_results_that_claim_our_name_are_renamed(claim: bytes, settings: Any) -> None:
    settings.EHLO_NAME = "mail.example.test"
    message = b"Subject: x\r\n" + claim + b"To: y\r\n\r\n" + claim
    changed = without_our_results(message, checked_header(message))
    assert changed == b"Subject: x\r\nX-Received-" + claim + b"To: y\r\n\r\n" + claim


def test_results_of_others_and_everything_else_stay_as_they_are(settings: Any) -> None:
    settings.EHLO_NAME = "mail.example.test"
    message = b"Authentication-Results: mx.far.example; spf=pass\r\nX: \xff\0\r\n\r\nbody \xff\r\n"
    assert without_our_results(message, checked_header(message)) == message
