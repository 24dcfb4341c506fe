"""Links that are not what they seem."""

from __future__ import annotations

import pytest

from mta.spam.contents import Link
from mta.spam.finding import Rule
from mta.spam.links import judge_links

OURS = frozenset({"example.com"})


@pytest.mark.parametrize(
    ("target", "shown", "found"),
    [
        ("https://bank.test/", "https://bank.test/login", []),
        ("https://www.bank.test/", "bank.test", []),
        ("https://evil.test/", "www.bank.test", [Rule.LINK_DIFFERS]),
        ("https://evil.test/", "Click here", []),
        ("http://192.0.2.9/a", "", [Rule.LINK_NUMERIC]),
        ("http://3221225985/", "", [Rule.LINK_NUMERIC]),
        ("http://[2001:db8::1]/", "", [Rule.LINK_NUMERIC]),
        ("https://bank.test@evil.test/", "", [Rule.LINK_DISGUISED]),
        ("https://xn--bnk-7cd.test/", "", [Rule.LINK_PUNYCODE]),
        ("https://login.examp1e.com/", "", [Rule.LINK_LOOKALIKE]),
        ("https://example.com/", "", []),
        ("https://t.cn/AbC", "", [Rule.LINK_SHORTENED]),
        ("https://click.shop.test/x", "www.bank.test", []),  # the sender's own counter of clicks
        ("https://[", "x", []),
    ],
)
def test_each_kind(target: str, shown: str, found: list[Rule]) -> None:
    links = [Link(target, shown)]
    assert [each.rule for each in judge_links(links, sender_domain="news.shop.test", ours=OURS)] == found


def test_a_rule_counts_once() -> None:
    links = [Link(f"http://192.0.2.{number}/") for number in range(50)]
    assert len(list(judge_links(links, sender_domain="x.test", ours=OURS))) == 1
