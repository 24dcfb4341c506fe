"""Names that are made to be taken for others."""

from __future__ import annotations

import pytest

from mta.spam.names import keys_of, looks_like


@pytest.mark.parametrize(
    ("domain", "known"),
    [
        ("examp1e.com", "example.com"),
        ("exarnple.com", "example.com"),
        ("example.cn", "example.com"),
        ("example.com.cn", "example.com"),
        ("mail.exemple.com", "example.com"),
        ("exampel.com", "example.com"),
        ("examples.com", "example.com"),
        ("ex-ample.com", "example.com"),
        ("xn--exmple-4nf.com", "example.com"),  # а of Cyrillic
        ("vvatson.com", "watson.com"),
        ("acrne.com", "acme.com"),
        ("gmai1.com", "gmail.com"),
    ],
)
def test_a_deceptive_name_is_seen_and_shares_a_key(domain: str, known: str) -> None:
    assert looks_like(domain, [known, "other-firm.de"]) == known
    assert keys_of(domain) & keys_of(known)


@pytest.mark.parametrize(
    ("domain", "known"),
    [
        ("example.com", "example.com"),
        ("sub.example.com", "example.com"),
        ("sample-trading.com", "example.com"),
        ("qq.com", "qg.com"),
        ("126.com", "163.com"),
        ("gmail.com", "gmall.com"),  # it is whom it says
        ("yahoo.de", "yahoo.com"),
        ("", "example.com"),
    ],
)
def test_an_honest_name_is_not(domain: str, known: str) -> None:
    assert not looks_like(domain, [known])


def test_ones_own_second_domain_is_nobodys_copy() -> None:
    assert not looks_like("example.cn", ["example.com"], ours=["example.cn"])
