"""One transaction with a remote server, answer by answer; the other side is aiosmtpd."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.connection import ensure_certificate
from mta.outbound.client import UnreachableError, send
from mta.outbound.result import Result, Verdict, from_reply
from mta.outbound.routing import Hop
from tests.mta.sink import Sink, remote

MESSAGE = b"Subject: x\r\n\r\n.dot\r\nbody\r\n"


def deliver(port: int, *recipients: str, sender: str = "a@example.test", message: bytes = MESSAGE) -> list[Result]:
    """Send to the server at `port`."""
    return asyncio.run(send(Hop("mx.far.example", "127.0.0.1", port), sender, recipients, message))


def verdicts(results: list[Result]) -> dict[str, tuple[Verdict, str]]:
    """What happened to whom."""
    return {result.recipient: (result.verdict, result.code) for result in results}


def test_a_message_arrives_as_it_is() -> None:
    sink = Sink()
    with remote(sink) as port:
        results = deliver(port, "b@far.example", "c@far.example")
    assert {result.verdict for result in results} == {Verdict.ACCEPTED}
    assert sink.taken[0].recipients == ["b@far.example", "c@far.example"]
    assert sink.taken[0].content == MESSAGE
    assert results[0].host == "mx.far.example"


def test_the_null_sender_can_send() -> None:
    sink = Sink()
    with remote(sink) as port:
        deliver(port, "b@far.example", sender="")
    assert sink.taken[0].sender == "<>"  # how aiosmtpd says it


def test_each_recipient_has_his_own_result() -> None:
    sink = Sink()
    sink.replies = {"no@far.example": "550 5.1.1 unknown", "later@far.example": "451 4.7.1 greylisted"}
    with remote(sink) as port:
        results = deliver(port, "no@far.example", "yes@far.example", "later@far.example")
    assert verdicts(results) == {
        "no@far.example": (Verdict.REFUSED, "5.1.1"),
        "later@far.example": (Verdict.LATER, "4.7.1"),
        "yes@far.example": (Verdict.ACCEPTED, "2.6.0"),
    }
    assert sink.taken[0].recipients == ["yes@far.example"]


@pytest.mark.parametrize(
    ("stage", "reply", "wanted"),
    [
        ("MAIL", "550 5.7.1 no", (Verdict.REFUSED, "5.7.1")),
        ("MAIL", "451 later", (Verdict.LATER, "4.0.0")),
        ("DATA", "554 5.6.0 spam", (Verdict.REFUSED, "5.6.0")),
        ("DATA", "452 4.3.1 full", (Verdict.LATER, "4.3.1")),
    ],
)
def test_a_refusal_of_the_whole_concerns_everybody(stage: str, reply: str, wanted: tuple[Verdict, str]) -> None:
    sink = Sink()
    sink.replies = {stage: reply}
    with remote(sink) as port:
        results = deliver(port, "a@far.example", "b@far.example")
    assert set(verdicts(results).values()) == {wanted}
    assert not sink.taken


def test_tls_is_used_when_offered_though_the_certificate_is_nobodys(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*ensure_certificate(tmp_path, "far.example"))
    sink = Sink()
    with remote(sink, tls=context) as port:
        deliver(port, "b@far.example")
    assert sink.taken[0].tls


def test_a_server_whose_tls_is_broken_gets_the_mail_in_the_clear(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # no certificate: every handshake fails
    sink = Sink()
    with remote(sink, tls=context) as port:
        results = deliver(port, "b@far.example")
    assert results[0].verdict is Verdict.ACCEPTED
    assert not sink.taken[0].tls


def test_a_message_larger_than_announced_is_not_offered() -> None:
    sink = Sink()
    with remote(sink, data_size_limit=100) as port:
        results = deliver(port, "b@far.example", message=MESSAGE + b"x" * 200)
    assert verdicts(results) == {"b@far.example": (Verdict.REFUSED, "5.3.4")}


def test_an_international_address_needs_a_server_that_knows_them() -> None:
    sink = Sink()
    with remote(sink, enable_SMTPUTF8=False) as port:
        assert deliver(port, "用户@far.example")[0].code == "5.6.7"
    with remote(sink, enable_SMTPUTF8=True) as port:
        assert deliver(port, "用户@far.example")[0].verdict is Verdict.ACCEPTED
    assert sink.taken[0].recipients == ["用户@far.example"]


def test_nobody_there_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(UnreachableError):
            deliver(unused.getsockname()[1], "b@far.example")


@contextmanager
def speaking(*words: bytes) -> Iterator[int]:
    """A server that says each of `words` after something was said to it, then hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def speak() -> None:
        client, _ = listener.accept()
        with client:
            for number, word in enumerate(words):
                if number:
                    client.recv(4096)
                client.sendall(word)

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join(60)
        listener.close()


def test_a_greeting_of_554_means_another_server_may_be_tried() -> None:
    with speaking(b"554 no service\r\n") as port, pytest.raises(UnreachableError):
        deliver(port, "b@far.example")


def test_a_connection_lost_after_data_is_tried_again_later() -> None:
    words = [b"220 x\r\n", b"250 x\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"]
    with speaking(*words) as port:
        results = deliver(port, "b@far.example")
    assert verdicts(results) == {"b@far.example": (Verdict.LATER, "4.4.2")}


def test_nonsense_from_the_other_side_is_not_a_success() -> None:
    with speaking(b"220 x\r\n", b"250 x\r\n", b"\xff\xfe nonsense\r\n") as port:
        results = deliver(port, "b@far.example")
    assert results[0].verdict is Verdict.LATER


@pytest.mark.parametrize(
    ("code", "message", "wanted"),
    [
        (250, "2.0.0 Ok", (Verdict.ACCEPTED, "2.0.0", "250 Ok")),
        (550, "no enhanced", (Verdict.REFUSED, "5.0.0", "550 no enhanced")),
        (550, "4.1.1 contradicts", (Verdict.REFUSED, "5.0.0", "550 contradicts")),
        (421, "4.7.0 go\naway", (Verdict.LATER, "4.7.0", "421 go away")),
        (354, "what", (Verdict.LATER, "4.0.0", "354 what")),
    ],
)
def test_a_reply_is_read_by_its_first_digit(code: int, message: str, wanted: tuple[Verdict, str, str]) -> None:
    result = from_reply("a@b.example", code, message, "h")
    assert (result.verdict, result.code, result.text) == wanted
