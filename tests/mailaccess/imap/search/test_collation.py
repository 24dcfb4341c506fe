"""What strings are before they are compared."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mailaccess.imap.search.collation import base_subject, casemap


@pytest.mark.parametrize(
    ("subject", "base", "is_reply"),
    [
        ("Budget", "Budget", False),
        ("  Budget \t for  March ", "Budget for March", False),
        ("Re: Budget", "Budget", True),
        ("RE : re:  Fwd: FW:Budget", "Budget", True),
        ("Re[2]: Budget", "Budget", True),
        ("[list] Re: [list] Budget", "Budget", True),
        ("[list] Budget", "Budget", False),
        ("[xyz]", "[xyz]", False),
        ("[a][b]", "[b]", False),
        ("Budget (fwd)", "Budget", True),
        ("Budget (fwd) (FWD) ", "Budget", True),
        ("[fwd: Re: Budget]", "Budget", True),
        ("Re: [FWD: c]", "c", True),
        ("[foo] Fwd: [bar] Re: fw: b (fWd)  (fwd)", "b", True),
        ("b (a)", "b (a)", False),
        ("Regarding it", "Regarding it", False),
        ("Re:", "", True),
        ("", "", False),
        ("回复:预算", "预算", True),
        ("答复：转发： 预算", "预算", True),
        ("回复预算", "回复预算", False),
    ],
)
def test_a_base_subject_is_what_the_rfc_leaves(subject: str, base: str, is_reply: bool) -> None:
    assert base_subject(subject) == (base, is_reply)


@given(st.text(alphabet="[]()refwd: aR：回复", max_size=60))
def test_a_base_subject_has_nothing_more_to_take_away(subject: str) -> None:
    base, _ = base_subject(subject)
    assert base_subject(base) == (base, False)


@pytest.mark.parametrize(
    ("left", "right"), [("straße", "STRAßE"), ("Ärger", "ärger"), ("ABC", "abc"), ("ﬁle", "file"), ("ｆｕｌｌ", "FULL")]
)
def test_case_and_composition_do_not_count(left: str, right: str) -> None:
    assert casemap(left).upper() == casemap(right).upper()
    assert casemap("e\u0301") == casemap("É")
