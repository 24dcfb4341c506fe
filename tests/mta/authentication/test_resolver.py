"""The cache in front of DNS, and inquiries, against a name server on loopback."""

from __future__ import annotations

import asyncio

import pytest

from mta.authentication import resolver as resolver_module
from mta.authentication.inquiry import QUESTIONS_MAX, Inquiry
from mta.authentication.resolver import FAILED, NOTHING, Answer, Resolver, Status, key_of
from tests.mta.names import Zone, serving, txt

ZONE: Zone = {
    ("d.test", "TXT"): ['"v=spf1 " "-all"', '"other"'],
    ("d.test", "MX"): ["10 mx.d.test.", "20 MX2.D.test."],
    ("mx.d.test", "A"): ["192.0.2.1"],
    ("mx.d.test", "AAAA"): ["2001:db8::1"],
    ("1.2.0.192.in-addr.arpa", "PTR"): ["mx.d.test."],
    ("bad.test", "TXT"): ["SERVFAIL"],
    ("silent.test", "TXT"): ["SILENT"],
}


async def ask(resolver: Resolver, name: str, kind: str, timeout_s: float = 5.0) -> Answer:
    return await resolver.ask(key_of(name, kind), timeout_s)


@pytest.mark.parametrize(
    ("name", "kind", "records"),
    [
        ("d.test", "TXT", (b"v=spf1 -all", b"other")),
        ("D.Test.", "MX", ((10, "mx.d.test"), (20, "mx2.d.test"))),
        ("mx.d.test", "A", ("192.0.2.1",)),
        ("mx.d.test", "AAAA", ("2001:db8::1",)),
        ("1.2.0.192.in-addr.arpa", "PTR", ("mx.d.test",)),
    ],
)
@pytest.mark.asyncio
async def test_records_come_in_the_form_of_their_type(name: str, kind: str, records: tuple[object, ...]) -> None:
    with serving(ZONE):
        answer = await ask(Resolver(), name, kind)
    assert answer.status is Status.FOUND
    assert sorted(answer.records) == sorted(records)


@pytest.mark.asyncio
async def test_nothing_and_failure_are_told_apart() -> None:
    with serving(ZONE):
        resolver = Resolver()
        assert await ask(resolver, "nowhere.test", "TXT") == NOTHING
        assert await ask(resolver, "mx.d.test", "TXT") == NOTHING
        assert await ask(resolver, "bad.test", "TXT") == FAILED
        assert await ask(resolver, "x" * 64 + ".test", "TXT") == NOTHING
        assert await ask(resolver, "a..test", "TXT") == NOTHING


@pytest.mark.asyncio
async def test_an_answer_is_asked_for_once_also_by_many_at_the_same_time() -> None:
    with serving(ZONE) as asked:
        resolver = Resolver()
        await asyncio.gather(*(ask(resolver, "d.test", "TXT") for _ in range(20)))
        await ask(resolver, "bad.test", "TXT")
        count = len(asked)
        assert resolver.known(("d.test", "TXT")) is not None
        assert resolver.known(("bad.test", "TXT")) == FAILED
        assert asked.count(("d.test", "TXT")) == 1
        assert len(asked) == count


@pytest.mark.asyncio
async def test_an_answer_goes_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(ZONE):
        resolver = Resolver()
        await ask(resolver, "d.test", "TXT")
        later = resolver_module.time.monotonic() + 61  # the zone says 60 s
        monkeypatch.setattr(resolver_module.time, "monotonic", lambda: later)
        assert resolver.known(("d.test", "TXT")) is None


@pytest.mark.asyncio
async def test_memory_is_bounded_and_the_longest_unused_goes_first() -> None:
    with serving(ZONE):
        resolver = Resolver(kept_max=2)
        await ask(resolver, "d.test", "TXT")
        await ask(resolver, "d.test", "MX")
        resolver.known(("d.test", "TXT"))
        await ask(resolver, "mx.d.test", "A")
        assert resolver.known(("d.test", "TXT")) is not None
        assert resolver.known(("d.test", "MX")) is None


@pytest.mark.asyncio
async def test_a_silent_server_holds_up_nobody_else() -> None:
    with serving(ZONE):
        resolver = Resolver()
        slow = asyncio.create_task(ask(resolver, "silent.test", "TXT", 0.5))
        await asyncio.sleep(0)
        assert (await ask(resolver, "d.test", "TXT")).status is Status.FOUND
        assert not slow.done()
        assert await slow == FAILED


@pytest.mark.asyncio
async def test_an_inquiry_asks_for_everything_at_once_and_keeps_its_answers() -> None:
    with serving(ZONE) as asked:
        inquiry = Inquiry(Resolver())
        checks = [lambda: inquiry.look("d.test", "TXT"), lambda: inquiry.look("d.test", "MX"), lambda: "ready"]
        found = await inquiry.run(checks)
        assert [len(answer.records) for answer in found[:2]] == [2, 2]
        assert found[2] == "ready"
        assert sorted(asked) == [("d.test", "MX"), ("d.test", "TXT")]


@pytest.mark.asyncio
async def test_an_inquiry_has_a_budget_of_time_and_of_questions() -> None:
    with serving(ZONE):
        inquiry = Inquiry(Resolver(), budget_s=0.3)
        assert await inquiry.run([lambda: inquiry.look("silent.test", "TXT")]) == [FAILED]

        endless = Inquiry(Resolver())

        def ask_on() -> int:
            for number in range(1000):
                if endless.look(f"{number}.d.test", "A") is FAILED:
                    return number
            return -1

        assert await endless.run([ask_on]) == [QUESTIONS_MAX]
    assert txt("a" * 600).count('"') == 6
