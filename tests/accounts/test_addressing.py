"""Addresses and domain names in canonical form."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from accounts.addressing import (
    canonical_domain,
    canonical_local_part,
    domain_key,
    host_name,
    parse,
)
from core.errors import ErrorKind, MailError


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("Example.COM", "example.com"),
        (" example.com. ", "example.com"),
        ("例子.test", "xn--fsqu00a.test"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--fsqu00a.test", "xn--fsqu00a.test"),
    ],
)
def test_a_domain_becomes_its_lower_case_a_label(typed: str, canonical: str) -> None:
    assert canonical_domain(typed) == canonical


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "localhost",
        "a..b",
        "-a.test",
        "a_b.test",
        "a b.test",
        "x" * 64 + ".test",
        "a." * 130 + "test",
        "a@b.test",
        "xn--a.test",
        "127.0.0.1/8",
    ],
)
def test_what_is_no_domain_is_refused(typed: str) -> None:
    with pytest.raises(MailError) as refused:
        canonical_domain(typed)
    assert refused.value.kind is ErrorKind.INVALID


@pytest.mark.parametrize("typed", ["Alice", "li.na", "a-b_c", "1", "0.0"])
def test_an_accounts_name_is_lower_case(typed: str) -> None:
    assert canonical_local_part(typed) == typed.lower()


@pytest.mark.parametrize(
    "typed", ["", ".a", "a.", "a..b", "a+b", "a b", "a@b", "李", '"a"', "x" * 65, "-a", "a\u0000", "\u212a"]
)
def test_a_name_that_mail_programs_stumble_over_is_refused(typed: str) -> None:
    with pytest.raises(MailError):
        canonical_local_part(typed)


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("Alice@Example.Test", "alice@example.test"),
        ('"Alice"@example.test', "alice@example.test"),
        ('"al\\ice"@example.test', "alice@example.test"),
        ("alice@例子.test", "alice@xn--fsqu00a.test"),
        ("alice@example.test.", "alice@example.test"),
        ('"a@b"@example.test', "a@b@example.test"),
    ],
)
def test_an_address_from_outside_is_understood(typed: str, means: str) -> None:
    parts = parse(typed)
    assert parts is not None
    assert parts.address == means


@pytest.mark.parametrize(
    "typed", ["", "@", "a@", "@b", "alice", "a\0@b.test", "a\n@b.test", "x" * 260 + "@b.test", "a@\ud800"]
)
def test_what_can_be_no_address_is_none(typed: str) -> None:
    assert parse(typed) is None


def test_a_tag_is_taken_off_but_never_everything() -> None:
    parts = parse("alice+shop+2@example.test")
    assert parts is not None
    assert parts.untagged.address == "alice@example.test"
    only = parse("+x@example.test")
    assert only is not None
    assert only.untagged.address == "+x@example.test"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Webmail.Example.test:8000", "webmail.example.test"),
        ("例子.test", "xn--fsqu00a.test"),
        ("[::1]:8000", "[::1]"),
        ("", ""),
    ],
)
def test_a_host_header_gives_its_name(header: str, name: str) -> None:
    assert host_name(header) == name


@given(st.text(max_size=300))
def test_nothing_that_is_sent_breaks_the_parser(text: str) -> None:
    parts = parse(text)
    assert parts is None or (parts.local_part and parts.domain)
    assert isinstance(domain_key(text), str)
