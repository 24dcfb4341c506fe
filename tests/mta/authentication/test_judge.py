"""A whole judgement over a name server on loopback."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from mta.authentication.arc import seal, verify_chain
from mta.authentication.judge import Origin, author_domains, judge
from mta.authentication.letter import Letter
from mta.authentication.outcome import Outcome
from mta.authentication.resolver import Resolver
from mta.authentication.results import Judgement
from mta.authentication.signing import SigningKey, public_record
from tests.mta.authentication.test_dkim import MESSAGE, NOW, RSA, ZONE as KEYS, signed
from tests.mta.authentication.zone import looking
from tests.mta.names import Zone, serving, txt

ZONE: Zone = {
    ("example.test", "TXT"): [txt("v=spf1 ip4:192.0.2.1 -all")],
    ("_dmarc.example.test", "TXT"): [txt("v=DMARC1; p=reject")],
    ("helo.test", "TXT"): [txt("v=spf1 ip4:192.0.2.9 -all")],
    ("r1._domainkey.forwarder.test", "TXT"): [txt(public_record(RSA))],
    **{key: [txt(records[0].decode())] for key, records in KEYS.items()},  # type: ignore[index]
}
RIGHT = Origin("192.0.2.1", "mx.example.test", "alice@example.test")
WRONG = Origin("198.51.100.7", "mx.evil.test", "alice@example.test")

PATIENCE_S = 4.0
"""With a server that is silent; long enough for the answers of the others on a machine that has just stood still."""


async def judged(message: bytes, origin: Origin, *, zone: Zone = ZONE, budget_s: float = 10) -> Judgement:
    with serving(zone):
        return await judge(Resolver(), origin, Letter.of(message), now_s=NOW, budget_s=budget_s)


def short(judgement: Judgement) -> tuple[str, list[str], str, str]:
    dkim = [str(result.outcome) for result in judgement.dkim]
    return str(judgement.spf.outcome), dkim, str(judgement.dmarc.outcome), str(judgement.dmarc.policy)


@pytest.mark.asyncio
async def test_honest_mail_passes_everything() -> None:
    judgement = await judged(signed(), RIGHT)
    assert short(judgement) == ("pass", ["pass", "pass"], "pass", "none")
    assert (judgement.dmarc.spf_aligned, judgement.dmarc.dkim_aligned) == (True, True)


@pytest.mark.asyncio
async def test_either_proof_carries_dmarc() -> None:
    assert short(await judged(MESSAGE, RIGHT)) == ("pass", [], "pass", "none")
    assert short(await judged(signed(), WRONG)) == ("fail", ["pass", "pass"], "pass", "none")


@pytest.mark.asyncio
async def test_a_forgery_meets_the_policy() -> None:
    assert short(await judged(MESSAGE, WRONG)) == ("fail", [], "fail", "reject")


@pytest.mark.asyncio
async def test_the_null_sender_is_judged_by_its_greeting() -> None:
    judgement = await judged(MESSAGE, Origin("192.0.2.9", "helo.test", ""))
    assert (judgement.spf.scope, judgement.spf.outcome) == ("helo", Outcome.PASS)
    assert judgement.dmarc.outcome is Outcome.FAIL


@pytest.mark.asyncio
async def test_two_from_fields_are_a_failure_whatever_they_prove() -> None:
    judgement = await judged(b"From: alice@example.test\r\n" + MESSAGE, RIGHT)
    assert short(judgement)[2:] == ("fail", "quarantine")
    assert judgement.dmarc.reason == "several From fields"


@pytest.mark.asyncio
async def test_no_author_is_an_error_and_not_a_pass() -> None:
    assert short(await judged(MESSAGE.replace(b"From: ", b"X-From: "), RIGHT))[2] == "permerror"


@pytest.mark.asyncio
async def test_silence_of_the_name_server_is_a_passing_fault_of_what_needed_it() -> None:
    zone = {**ZONE, ("example.test", "TXT"): ["SILENT"]}
    judgement = await judged(signed(), RIGHT, zone=zone, budget_s=PATIENCE_S)
    assert short(judgement) == ("temperror", ["pass", "pass"], "pass", "none")
    zone |= {("_dmarc.example.test", "TXT"): ["SILENT"], ("r1._domainkey.example.test", "TXT"): ["SILENT"]}
    judgement = await judged(signed(), RIGHT, zone=zone, budget_s=PATIENCE_S)
    assert short(judgement) == ("temperror", ["temperror", "pass"], "temperror", "none")


@pytest.mark.asyncio
async def test_a_proof_that_could_not_be_looked_up_is_no_forgery_yet() -> None:
    zone = {**ZONE, ("example.test", "TXT"): ["SERVFAIL"]}
    assert short(await judged(MESSAGE, RIGHT, zone=zone)) == ("temperror", [], "temperror", "reject")
    unrelated = Origin("192.0.2.1", "mx", "x@other.test")
    zone = {**ZONE, ("other.test", "TXT"): ["SERVFAIL"]}
    assert short(await judged(MESSAGE, unrelated, zone=zone)) == ("temperror", [], "fail", "reject")


@pytest.mark.asyncio
async def test_a_slow_mail_does_not_hold_up_the_next() -> None:
    zone = {**ZONE, ("slow.test", "TXT"): ["SILENT"]}
    with serving(zone):
        resolver = Resolver()
        slow = Origin("192.0.2.1", "x", "x@slow.test")
        waiting = asyncio.create_task(judge(resolver, slow, Letter.of(MESSAGE), now_s=NOW, budget_s=PATIENCE_S))
        await asyncio.sleep(0)
        quick = await judge(resolver, RIGHT, Letter.of(signed()), now_s=NOW)
        assert quick.dmarc.outcome is Outcome.PASS
        assert not waiting.done()
        assert (await waiting).spf.outcome is Outcome.TEMPERROR


@pytest.mark.asyncio
async def test_a_trusted_forwarder_is_believed_and_another_is_not(settings: Any) -> None:
    key = SigningKey("forwarder.test", "r1", RSA)
    letter = Letter.of(signed().replace(b"That is all.", b"That is all.\r\n-- \r\nSent by the list"))
    saw = "mx.forwarder.test; spf=pass smtp.mailfrom=example.test; dmarc=pass header.from=example.test"
    known = {**KEYS, ("r1._domainkey.forwarder.test", "TXT"): [public_record(RSA).encode()]}
    sealed = seal(letter, key, verify_chain(looking(known), letter), saw, NOW)
    message = sealed + signed().replace(b"That is all.", b"That is all.\r\n-- \r\nSent by the list")
    judgement = await judged(message, WRONG)
    assert judgement.arc.outcome is Outcome.PASS
    assert short(judgement)[2:] == ("fail", "reject")
    settings.ARC_TRUSTED_SEALERS = ["forwarder.test"]
    believed = await judged(message, WRONG)
    assert short(believed)[2:] == ("fail", "none")
    assert believed.dmarc.reason == "forwarded by forwarder.test, which is trusted"


@pytest.mark.asyncio
async def test_large_bodies_are_hashed_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    message = signed(MESSAGE + b"line of text\r\n" * 20_000, now_s=time.time())
    loop_thread = asyncio.get_running_loop()
    jobs: list[object] = []
    run = loop_thread.run_in_executor
    monkeypatch.setattr(loop_thread, "run_in_executor", lambda *job: jobs.append(job[1]) or run(*job))
    with serving(ZONE):
        judgement = await judge(Resolver(), RIGHT, Letter.of(message), now_s=time.time())
    assert short(judgement)[1] == ["pass", "pass"]
    assert "_hash" in [getattr(job, "__name__", "") for job in jobs]


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        (b'From: "a@evil.test" <alice@Example.TEST>', ("example.test",)),
        (b"From: a@one.test, b@two.test", ("one.test", "two.test")),
        ("From: a@例子.测试".encode(), ("xn--fsqu00a.xn--0zwm56d",)),
        (b"From: nobody", ()),
    ],
)
def test_authors_are_found(field: bytes, wanted: tuple[str, ...]) -> None:
    assert author_domains(Letter.of(field + b"\r\n\r\n")) == wanted
