"""DMARC records, alignment and verdicts."""

from __future__ import annotations

import pytest

from mta.authentication.dmarc import (
    Identifiers,
    Policy,
    Record,
    evaluate,
    find_record,
    is_aligned,
    organisational_domain,
    parse_record,
)
from mta.authentication.outcome import Outcome
from mta.authentication.resolver import FAILED
from tests.mta.authentication.zone import Records, looking


@pytest.mark.parametrize(
    ("domain", "wanted"),
    [
        ("example.com", "example.com"),
        ("a.b.example.com", "example.com"),
        ("mail.example.co.uk", "example.co.uk"),
        ("a.example.com.cn", "example.com.cn"),
        ("x.xn--55qx5d.cn", "x.xn--55qx5d.cn"),
        ("a.b.example.test", "example.test"),
        ("co.uk", "co.uk"),
    ],
)
def test_the_organisational_domain_is_one_label_under_the_public_suffix(domain: str, wanted: str) -> None:
    assert organisational_domain(domain) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("v=DMARC1; p=none", Record("d.test", Policy.NONE, Policy.NONE)),
        ("v=DMARC1;p=reject;", Record("d.test", Policy.REJECT, Policy.REJECT)),
        ("v=DMARC1; p=Reject; sp=none", Record("d.test", Policy.REJECT, Policy.NONE)),
        ("v=DMARC1; p=reject; pct=20", Record("d.test", Policy.REJECT, Policy.REJECT, percent=20)),
        ("v=DMARC1; p=reject; pct=x", Record("d.test", Policy.REJECT, Policy.REJECT)),
        (
            "v=DMARC1; p=quarantine; aspf=s; adkim=s; rua=mailto:a@d.test, mailto:b@e.test!10m",
            Record(
                *("d.test", Policy.QUARANTINE, Policy.QUARANTINE, 100, True, True),
                ("mailto:a@d.test", "mailto:b@e.test!10m"),
            ),
        ),
        (
            "v=DMARC1; p=bad; rua=mailto:a@d.test",
            Record("d.test", Policy.NONE, Policy.NONE, report_to=("mailto:a@d.test",)),
        ),
        ("v=DMARC1; p=bad", Outcome.PERMERROR),
        ("v=DMARC1; p", Outcome.PERMERROR),
        ("v=DMARC12; p=none", Outcome.PERMERROR),
    ],
)
def test_records_are_read(text: str, wanted: Record | Outcome) -> None:
    assert parse_record("d.test", text.encode()) == wanted


def zone(**records: list[str]) -> Records:
    return {
        (f"_dmarc.{name.replace('_', '.')}", "TXT"): [text.encode() for text in texts]
        for name, texts in records.items()
    }


def test_the_record_is_the_domains_own_or_its_organisations() -> None:
    look = looking(zone(d_test=["v=DMARC1; p=reject; sp=quarantine"], own_d_test=["v=spf1 -all", "v=DMARC1; p=none"]))
    own, below = find_record(look, "own.d.test"), find_record(look, "a.b.d.test")
    assert isinstance(own, Record)
    assert isinstance(below, Record)
    assert (own.domain, own.policy_for("own.d.test")) == ("own.d.test", Policy.NONE)
    assert (below.domain, below.policy_for("a.b.d.test")) == ("d.test", Policy.QUARANTINE)
    assert find_record(look, "other.test") is Outcome.NONE


def test_two_records_are_none_and_a_silent_server_is_a_passing_fault() -> None:
    look = looking(zone(d_test=["v=DMARC1; p=reject", "v=DMARC1; p=none"]) | {("_dmarc.e.test", "TXT"): FAILED})  # type: ignore[dict-item]
    assert find_record(look, "d.test") is Outcome.NONE
    assert find_record(look, "e.test") is Outcome.TEMPERROR


@pytest.mark.parametrize(
    ("author", "proven", "strict", "wanted"),
    [
        ("d.test", "d.test", True, True),
        ("d.test", "mail.d.test", False, True),
        ("mail.d.test", "d.test", False, True),
        ("d.test", "mail.d.test", True, False),
        ("d.test", "evil-d.test", False, False),
        ("a.co.uk", "b.co.uk", False, False),
        ("d.test", "", False, False),
    ],
)
def test_alignment(author: str, proven: str, *, strict: bool, wanted: bool) -> None:
    assert is_aligned(author, proven, strict=strict) is wanted


REJECT = Record("d.test", Policy.REJECT, Policy.QUARANTINE, percent=30)


def test_one_aligned_proof_is_enough() -> None:
    for proven in (Identifiers(spf="bounce.d.test"), Identifiers(spf="evil.test", dkim=("x.test", "d.test"))):
        assert evaluate({"d.test": REJECT}, proven, chance=0.0).outcome is Outcome.PASS


def test_a_failing_mail_meets_the_policy_that_its_domain_asks_for() -> None:
    result = evaluate({"d.test": REJECT}, Identifiers(spf="evil.test"), chance=0.29)
    assert (result.outcome, result.policy, result.reason) == (Outcome.FAIL, Policy.REJECT, "proven for evil.test only")
    assert evaluate({"a.d.test": REJECT}, Identifiers(), chance=0.29).policy is Policy.QUARANTINE


def test_what_a_percentage_spares_meets_the_next_milder_policy() -> None:
    assert evaluate({"d.test": REJECT}, Identifiers(), chance=0.30).policy is Policy.QUARANTINE
    assert evaluate({"a.d.test": REJECT}, Identifiers(), chance=0.30).policy is Policy.NONE


def test_of_several_authors_the_worst_counts() -> None:
    lenient = Record("e.test", Policy.NONE, Policy.NONE)
    result = evaluate({"e.test": lenient, "d.test": REJECT}, Identifiers(spf="e.test"), chance=0)
    assert (result.outcome, result.domain, result.policy) == (Outcome.FAIL, "d.test", Policy.REJECT)
    assert evaluate({}, Identifiers(), chance=0).outcome is Outcome.PERMERROR
    assert evaluate({"e.test": Outcome.NONE}, Identifiers(), chance=0).outcome is Outcome.NONE
