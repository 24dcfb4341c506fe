"""The header field that tells what was found, and reading it back."""

from __future__ import annotations

from hypothesis import given, strategies as st

from mta.authentication.arc import NO_CHAIN, ArcResult
from mta.authentication.dkim import DkimResult
from mta.authentication.dmarc import DmarcResult, Policy, Record
from mta.authentication.outcome import Outcome
from mta.authentication.results import Judgement, Told, read_results
from mta.authentication.spf import SpfResult

RECORD = Record("d.test", Policy.REJECT, Policy.NONE)
GOOD = Judgement(
    SpfResult(Outcome.PASS, "bounce.d.test"),
    (DkimResult(Outcome.PASS, "d.test", "s1", "rsa-sha256", "@d.test", "abcd/+=="),),
    DmarcResult(Outcome.PASS, "d.test", record=RECORD),
    NO_CHAIN,
)


def test_a_field_tells_every_result() -> None:
    assert GOOD.field("mx.us.test").decode() == (
        "Authentication-Results: mx.us.test;\r\n"
        "\tspf=pass smtp.mailfrom=bounce.d.test;\r\n"
        "\tdkim=pass header.d=d.test header.s=s1 header.a=rsa-sha256 header.b=abcd/+==;\r\n"
        "\tdmarc=pass (p=reject) header.from=d.test\r\n"
    )


def test_failures_have_reasons_and_chains_are_told() -> None:
    judgement = Judgement(
        SpfResult(Outcome.PERMERROR, "d.test", "helo", "Two records"),
        (),
        DmarcResult(Outcome.FAIL, "d.test", Policy.REJECT, RECORD, reason="neither SPF nor DKIM passed"),
        ArcResult(Outcome.FAIL, ("x.test", "y.test"), reason="seal is not valid", count=2),
    )
    host, told = read_results(judgement.value("mx.us.test"))
    assert host == "mx.us.test"
    assert told == [
        Told("spf", "permerror", "Two records", {"smtp.helo": "d.test"}),
        Told("dkim", "none", "", {}),
        Told("dmarc", "fail", "neither SPF nor DKIM passed", {"header.from": "d.test"}, "p=reject"),
        Told("arc", "fail", "seal is not valid", {"header.d": "y.test"}),
    ]


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_that_strangers_chose_adds_a_result(word: str, reason: str) -> None:
    judgement = Judgement(
        SpfResult(Outcome.FAIL, word, reason=f"{reason}; dmarc=pass header.from={word}"),
        (DkimResult(Outcome.FAIL, word, word, word, word, word, reason),),
        DmarcResult(Outcome.FAIL, word, reason=f'{reason}"; dmarc=pass'),
        NO_CHAIN,
    )
    field = judgement.field("mx.us.test")
    assert field.isascii()
    assert b"\r\n\r\n" not in field
    _host, told = read_results(field.decode().partition(":")[2])
    assert [(each.method, each.outcome) for each in told] == [("spf", "fail"), ("dkim", "fail"), ("dmarc", "fail")]


def test_a_long_domain_is_cut_and_another_one_is_not_taken_for_it() -> None:
    for last in ("a", "b"):
        long = last + "x" * 300
        spf = SpfResult(Outcome.FAIL, long)
        told = read_results(Judgement(spf, (), DmarcResult(Outcome.NONE), NO_CHAIN).value("mx.us.test"))[1]
        assert told[0].properties == {"smtp.mailfrom": long[:255]}
