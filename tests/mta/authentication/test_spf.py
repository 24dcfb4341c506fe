"""What SPF remembers between mails: a result holds as long as the DNS says what it rests on."""

from __future__ import annotations

import pytest

from mta.authentication import spf
from mta.authentication.outcome import Outcome
from mta.authentication.resolver import FAILED, NOTHING, Answer, Status

Zone = dict[tuple[str, str], Answer]


def found(*records: object) -> Answer:
    return Answer(Status.FOUND, records)


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The senders whose records were evaluated."""
    senders: list[str] = []
    evaluate = spf._evaluated

    def counted(look: spf.Look, remote_address: str, helo: str, sender: str) -> spf.SpfResult:
        senders.append(sender)
        return evaluate(look, remote_address, helo, sender)

    monkeypatch.setattr(spf, "_evaluated", counted)
    monkeypatch.setattr(spf, "_remembered", {})
    return senders


def check(zone: Zone, sender: str, address: str = "192.0.2.1", helo: str = "mx.far.test") -> Outcome:
    return spf.check_spf(lambda name, kind: zone.get((name, kind), NOTHING), address, helo, sender).outcome


def record(text: str) -> Zone:
    return {("far.test", "TXT"): found(text.encode())}


def test_the_next_mail_of_a_domain_from_the_same_server_is_not_evaluated_again(evaluated: list[str]) -> None:
    zone = record("v=spf1 a:mail.far.test -all") | {("mail.far.test", "A"): found("192.0.2.1")}
    assert [check(zone, sender) for sender in ("a@far.test", "b@far.test", "a@far.test")] == [Outcome.PASS] * 3
    assert evaluated == ["a@far.test"]


def test_another_server_another_domain_and_the_null_sender_are_evaluated_for_themselves(evaluated: list[str]) -> None:
    zone = record("v=spf1 ip4:192.0.2.1 -all") | {("other.test", "TXT"): found(b"v=spf1 -all")}
    assert check(zone, "a@far.test") is Outcome.PASS
    assert check(zone, "a@far.test", "192.0.2.2") is Outcome.FAIL
    assert check(zone, "a@other.test") is Outcome.FAIL
    assert check(zone, "", helo="far.test") is Outcome.PASS
    assert check(zone, "", helo="other.test") is Outcome.FAIL
    assert len(evaluated) == 5


@pytest.mark.parametrize("changed", [("far.test", "TXT"), ("mail.far.test", "A")])
def test_a_change_of_anything_asked_for_is_obeyed_at_once(evaluated: list[str], changed: tuple[str, str]) -> None:
    zone = record("v=spf1 a:mail.far.test -all") | {("mail.far.test", "A"): found("192.0.2.1")}
    assert check(zone, "a@far.test") is Outcome.PASS
    zone[changed] = found(b"v=spf1 ip4:192.0.2.9 -all") if changed[1] == "TXT" else found("192.0.2.9")
    assert check(zone, "a@far.test") is Outcome.FAIL


@pytest.mark.parametrize("macro", ["%{l}", "%{h}"])
def test_records_that_ask_for_the_sender_or_the_greeting_are_evaluated_each_time(
    evaluated: list[str], macro: str
) -> None:
    zone = record(f"v=spf1 exists:{macro}.ok.test -all")
    zone |= {("good.ok.test", "A"): found("127.0.0.2"), ("good.test.ok.test", "A"): found("127.0.0.2")}
    assert check(zone, "good@far.test", helo="good.test") is Outcome.PASS
    assert check(zone, "bad@far.test", helo="bad.test") is Outcome.FAIL


def test_silence_of_the_dns_is_not_remembered(evaluated: list[str]) -> None:
    zone: Zone = {("far.test", "TXT"): FAILED}
    assert [check(zone, "a@far.test") for _ in range(2)] == [Outcome.TEMPERROR] * 2
    assert len(evaluated) == 2


@pytest.mark.parametrize(("size", "count"), [(spf.TEXT_MAX_BYTES, 1), (1, spf.RECORDS_MAX)], ids=["long", "many"])
def test_what_a_stranger_makes_large_is_not_kept(evaluated: list[str], size: int, count: int) -> None:
    zone: Zone = {("far.test", "TXT"): found(b"v=spf1 ip4:192.0.2.1 -all", *[b"x" * size] * count)}
    assert check(zone, "a@far.test") is Outcome.PASS
    assert spf._remembered == {}


def test_no_more_is_kept_than_fits(evaluated: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spf, "REMEMBERED_MAX", 3)
    for number in range(10):
        check(record("v=spf1 -all"), "a@far.test", f"192.0.2.{number}")
        assert len(spf._remembered) <= 3
