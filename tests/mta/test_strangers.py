"""What strangers meet at the MX: a pause, rates, reverse DNS, block lists, greylisting; and what the trusted don't."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Account
from core import redis as core_redis
from core.rates import Rates
from mta.inbound import greylist
from mta.models import Greylisted
from tests.factories import PASSWORD
from tests.mta.conftest import Running, Talk
from tests.mta.names import Zone, serving
from tests.mta.test_submit import mails

NAMED: Zone = {
    ("1.0.0.127.in-addr.arpa", "PTR"): ["mx.far.example."],
    ("mx.far.example", "A"): ["127.0.0.1"],
}
LISTED: Zone = {("1.0.0.127.bl.test", "A"): ["127.0.0.2"]}


@pytest.fixture(autouse=True)
def stranger(settings: Any, transactional_db: None) -> None:
    """Nobody is trusted."""
    settings.TRUSTED_NETWORKS = []
    settings.REVERSE_DNS = "off"
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    core_redis.client.cache_clear()


@pytest.fixture
def zone() -> Iterator[Zone]:
    """Names that the test gives."""
    known: Zone = {("far.example", "A"): ["192.0.2.1"]}
    with serving(known):
        yield known


def rcpt(running: Running, address: str = "alice@example.test", sender: str = "x@far.example") -> str:
    """What RCPT is answered."""
    talk = running.talk()
    assert talk.say("EHLO far.example").startswith("250")
    first = talk.say(f"MAIL FROM:<{sender}>")
    return talk.say(f"RCPT TO:<{address}>") if first.startswith("250") else first


@pytest.mark.parametrize("said", [b"EHLO far.example\r\n", b"\r\n", b"GET / HTTP/1.1\r\n"])
def test_who_talks_before_the_greeting_is_refused(settings: Any, running: Running, said: bytes) -> None:
    settings.GREETING_PAUSE_S = 30.0
    talk = Talk(running.mx, greet=False)
    talk.send(said)
    assert talk.reply().startswith("554 5.5.1")
    assert talk.is_closed()


def test_who_waits_is_greeted_and_the_trusted_wait_for_nothing(settings: Any, request: Any) -> None:
    settings.GREETING_PAUSE_S = 0.05
    running = request.getfixturevalue("running")
    assert running.talk().greeting.startswith("220")
    settings.GREETING_PAUSE_S = 60.0
    assert running.talk(running.submission).greeting.startswith("220")


@pytest.mark.parametrize(
    ("what", "answers"),
    [("messages", ["250", "450 4.7.1"]), ("recipients", ["250", "450 4.7.1"])],
)
def test_one_address_is_held_to_its_rate(
    settings: Any, alice: Account, request: Any, what: str, answers: list[str]
) -> None:
    settings.SMTP_RATES = {what: 2}  # alone, without Redis: one
    running = request.getfixturevalue("running")
    for answer in answers:
        assert rcpt(running).startswith(answer)


def test_a_mail_to_one_recipient_asks_once_about_rates(
    settings: Any, alice: Account, request: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    together = Rates._together

    async def counting(self: Rates, steps: Any) -> Any:
        asked.append([key.split(":")[2] for key, _step in steps])
        return await together(self, steps)

    monkeypatch.setattr(Rates, "_together", counting)
    running = request.getfixturevalue("running")
    talk = running.talk()
    assert talk.say("EHLO far.example").startswith("250")
    mail, rcpt_to = "MAIL FROM:<x@far.example>", "RCPT TO:<alice@example.test>"
    for line in (mail, rcpt_to, "RSET", mail, "RSET", mail, rcpt_to, rcpt_to.replace("alice", "postmaster")):
        assert talk.say(line).startswith("250")
    both = ["messages", "recipients"]
    assert asked == [["connections"], both, both, ["messages"], ["recipients"]], "what is counted ahead is not lost"


def test_connections_have_a_rate(settings: Any, request: Any) -> None:
    settings.SMTP_RATES = {"connections": 2}
    running = request.getfixturevalue("running")
    assert running.talk().greeting.startswith("220")
    second = running.talk()
    assert second.greeting.startswith("421 4.7.0")
    assert second.is_closed()


def test_who_tries_out_addresses_learns_no_more(settings: Any, alice: Account, request: Any) -> None:
    settings.SMTP_RATES = {"unknown": 2}
    running = request.getfixturevalue("running")
    assert rcpt(running, "nobody@example.test").startswith("550 5.1.1")
    assert rcpt(running, "noone@example.test").startswith("450 4.7.1")
    assert rcpt(running).startswith("250")


def test_an_account_has_a_rate_of_messages(settings: Any, alice: Account, request: Any) -> None:
    settings.SMTP_RATES = {"account": 2}
    running = request.getfixturevalue("running")
    with running.client(running.submission) as client:
        client.starttls()
        client.login("alice@example.test", PASSWORD)
        client.sendmail("alice@example.test", ["alice@example.test"], b"Subject: 1\r\n\r\nx\r\n")
        for line in ("MAIL FROM:<alice@example.test>", "RCPT TO:<alice@example.test>", "DATA"):
            client.docmd(line)
        client.send(b"Subject: 2\r\n\r\nx\r\n.\r\n")
        assert client.getreply()[0] == 450


def test_refusals_after_the_third_are_slow(settings: Any, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TARPIT_S = 7.0
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("mta.smtp_in.connection._wait", sleep)
    talk = running.talk()
    for _ in range(5):
        assert talk.say("NONSENSE").startswith("500")
    assert waits == [7.0, 7.0]


def test_a_name_that_leads_back_stands_in_the_trace(
    settings: Any, running: Running, alice: Account, zone: Zone
) -> None:
    settings.REVERSE_DNS = "note"
    zone |= NAMED
    talk = running.talk()
    for line in ("EHLO c.example", "MAIL FROM:<x@far.example>", "RCPT TO:<alice@example.test>"):
        assert talk.say(line).startswith("250")
    talk.say("DATA")
    assert talk.say("Subject: x\r\n\r\nhello\r\n.").startswith("250")
    assert b"Received: from c.example (mx.far.example [127.0.0.1])\r\n" in mails(alice, "inbox")[0]


@pytest.mark.parametrize(
    ("records", "answer"),
    [
        (NAMED, "250"),
        ({}, "550 5.7.25"),
        (
            {("1.0.0.127.in-addr.arpa", "PTR"): ["forged.example."], ("forged.example", "A"): ["192.0.2.9"]},
            "550 5.7.25",
        ),
        ({("1.0.0.127.in-addr.arpa", "PTR"): ["SERVFAIL"]}, "450 4.7.25"),
    ],
    ids=["confirmed", "none", "forged", "no answer"],
)
def test_a_name_may_be_demanded(
    settings: Any, running: Running, alice: Account, zone: Zone, records: Zone, answer: str
) -> None:
    settings.REVERSE_DNS = "demand"
    zone |= records
    assert rcpt(running).startswith(answer)


@pytest.mark.parametrize(
    ("records", "address", "answer"),
    [
        (LISTED, "alice@example.test", "550 5.7.1"),
        (LISTED, "postmaster@example.test", "250"),
        ({}, "alice@example.test", "250"),
        ({("1.0.0.127.bl.test", "A"): ["127.255.255.254"]}, "alice@example.test", "250"),
        ({("1.0.0.127.bl.test", "A"): ["SERVFAIL"]}, "alice@example.test", "250"),
    ],
    ids=["listed", "postmaster", "not listed", "list in trouble", "no answer"],
)
def test_who_stands_on_a_list_is_refused(  # noqa: PLR0913 - a table's columns
    settings: Any, running: Running, alice: Account, zone: Zone, records: Zone, address: str, answer: str
) -> None:
    settings.DNSBL = ["bl.test"]
    zone |= records
    assert rcpt(running, address).startswith(answer)


def test_a_first_mail_is_asked_to_come_again(settings: Any, running: Running, alice: Account) -> None:
    settings.GREYLIST_S = 60
    assert rcpt(running).startswith("451 4.7.1")
    assert rcpt(running).startswith("451 4.7.1")
    Greylisted.objects.update(first_us=1)
    Greylisted.objects.update(first_us=time.time_ns() // 1000 - 61_000_000)
    assert rcpt(running).startswith("250")
    assert rcpt(running).startswith("250")
    assert rcpt(running, sender="other@far.example").startswith("451")


def test_who_comes_again_often_is_asked_no_more_and_who_does_not_is_forgotten(db: None) -> None:
    now, minute = 1_000_000_000_000, 60_000_000

    def wait(sender: str, at: int, address: str = "192.0.2.7") -> int:
        return greylist.wait_s(address, sender, "a@b.test", now_us=at, delay_s=60)

    for sender in ("1@x", "2@x", "3@x"):
        assert wait(sender, now) == 60
        assert wait(sender, now + minute) == 0
    assert wait("new@x", now + minute) == 0
    assert wait("new@x", now + minute, "192.0.2.8") == 60
    assert wait("new@x", now + 3 * 24 * 60 * minute, "192.0.2.8") == 60, "too late: it begins anew"
    greylist.expire(now + 6 * 24 * 60 * minute)
    assert Greylisted.objects.count() == 4
    greylist.expire(now + 40 * 24 * 60 * minute)
    assert not Greylisted.objects.exists()
