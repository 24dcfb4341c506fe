"""LMTP (RFC 2033) on a real socket, and by Python's own client."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Account
from mta.smtp_in.server import SmtpServer
from tests.mta.conftest import Talk, run_server
from tests.mta.test_submit import mails


@pytest.fixture
def port(transactional_db: None) -> Iterator[int]:
    """Where LMTP listens."""
    for running in run_server():
        asyncio.run_coroutine_threadsafe(_listen(running.server), running.loop).result(10)
        yield running.server.ports[-1]


async def _listen(server: SmtpServer) -> None:
    await server.listen(mx=None, submission=None, submissions=None, lmtp=0)


def begun(port: int, *recipients: str) -> Talk:
    """A transaction up to DATA, whatever RCPT was answered."""
    talk = Talk(port)
    assert talk.greeting.startswith("220") and talk.greeting.endswith("LMTP")
    assert talk.say("LHLO peer.example").startswith("250-")
    assert talk.say("MAIL FROM:<a@far.example>").startswith("250")
    for recipient in recipients:
        talk.say(f"RCPT TO:<{recipient}>")
    return talk


def test_each_recipient_has_an_answer(port: int, alice: Account, bob: Account) -> None:
    talk = begun(port, "alice@example.test", "nobody@example.test", "bob@example.test")
    assert talk.say("DATA").startswith("354")
    assert talk.say("Subject: x\r\n\r\nhello\r\n.").startswith("250")
    assert talk.reply().startswith("250")
    assert talk.say("QUIT").startswith("221")
    for account in (alice, bob):
        (mail,) = mails(account, "inbox")
        assert b" with LMTP\r\n" in mail


def test_a_refusal_comes_for_each_too(port: int, alice: Account, bob: Account) -> None:
    talk = begun(port, "alice@example.test", "bob@example.test")
    assert talk.say("DATA").startswith("354")
    assert talk.say("Subject: x\r\n\r\nbare\nline\r\n.").startswith("550 5.6.11")
    assert talk.reply().startswith("550 5.6.11")
    assert talk.say("NOOP").startswith("250")


@pytest.mark.parametrize("word", ["EHLO", "HELO"])
def test_it_is_not_smtp(port: int, word: str) -> None:
    assert Talk(port).say(f"{word} peer.example").startswith("500")


def test_without_a_recipient_there_is_no_data(port: int, alice: Account) -> None:
    assert begun(port, "nobody@example.test").say("DATA").startswith("503")


def test_strangers_are_not_served(settings: Any, transactional_db: None, request: Any) -> None:
    settings.TRUSTED_NETWORKS = ["192.0.2.0/24"]
    talk = Talk(request.getfixturevalue("port"))
    assert talk.greeting.startswith("554 5.7.1")
    assert talk.is_closed()


def test_pythons_client_speaks_it(port: int, bob: Account) -> None:
    with smtplib.LMTP("127.0.0.1", port) as client:
        client.sendmail("a@far.example", ["bob@example.test"], b"Subject: y\r\n\r\nhi\r\n")
    assert len(mails(bob, "inbox")) == 1
