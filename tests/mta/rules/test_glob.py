"""Patterns with stars: the same answers as the standard library's, without its way back."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given, strategies as st

from mta.rules import glob
from mta.rules.glob import matches


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("", "", True),
        ("*", "", True),
        ("re*", "re: hi", True),
        ("*发票*", "七月发票已开", True),
        ("a*a", "a", False),
        ("?b*d?", "abcde", True),
        ("*.pdf", "x.pdf.exe", False),
        ("ab*ba", "aba", False),
    ],
)
def test_a_pattern_covers_the_whole_text(pattern: str, text: str, fits: bool) -> None:
    assert matches(pattern, text) is fits


@given(st.text("ab*?", max_size=12), st.text("ab\n", max_size=16))
def test_it_agrees_with_the_standard_library(pattern: str, text: str) -> None:
    assert matches(pattern, text) is fnmatch.fnmatchcase(text, pattern)


def test_the_worst_pattern_is_compared_no_more_often_than_text_times_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0
    fits = glob._fits

    def counted(piece: str, text: str, at: int) -> bool:
        nonlocal count
        count += len(piece)
        return fits(piece, text, at)

    monkeypatch.setattr(glob, "_fits", counted)
    pattern, text = "*a?" * 33 + "b", "a" * 1_000
    assert not matches(pattern, text)
    assert count <= len(pattern) * len(text)
