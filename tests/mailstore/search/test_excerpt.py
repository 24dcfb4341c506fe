"""Lines and marks of results."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from core.access import Access
from mailstore.search.excerpt import EXCERPT_CHARS, Marks, excerpt, spans
from mailstore.search.query import parse
from mailstore.selectors.entries import rows_of
from mailstore.selectors.excerpts import excerpts
from tests.mailstore.letters import letter, stored


def marks_of(question: str) -> Marks:
    """Of a question."""
    tree = parse(question).tree
    assert tree is not None
    return Marks.of(tree)


def marked(question: str, text: str) -> list[str]:
    """The pieces of a text that are marked."""
    return [text[start:end] for start, end in spans(marks_of(question).text, text)]


@pytest.mark.parametrize(
    ("question", "text", "pieces"),
    [
        ("采购", "第二季度採購合同", ["採購"]),
        ("invoice", "Invoices: INVOICE, ｉｎｖｏｉｃｅ", ["Invoices", "INVOICE", "ｉｎｖｏｉｃｅ"]),
        ('"price list"', "price lists price, list", ["price lists", "price, list"]),
        ("muller", "Müller", ["Müller"]),
        ("file", "ﬁle x", ["ﬁle"]),
        ("a OR b", "a b c", ["a", "b"]),
        ("-a b", "a b", ["b"]),
        ("from:a", "a", []),
    ],
)
def test_what_is_wished_for_is_marked_as_it_is_written(question: str, text: str, pieces: list[str]) -> None:
    assert marked(question, text) == pieces


def test_subjects_people_and_texts_have_marks_of_their_own() -> None:
    found = marks_of("subject:合同 from:王 发票")
    assert spans(found.subject, "合同发票王") == [(0, 2), (2, 4)]
    assert spans(found.people, "合同发票王") == [(2, 4), (4, 5)]
    assert spans(found.text, "合同发票王") == [(2, 4)]


@given(st.text(max_size=60), st.sampled_from(["a", "ss", "合同", "1"]))
def test_places_are_places_of_the_text(text: str, question: str) -> None:
    for start, end in spans(marks_of(question).text, text):
        assert 0 <= start < end <= len(text)


def test_an_excerpt_is_the_text_around_the_first_match() -> None:
    wanted = marks_of("needle").text
    line = excerpt(wanted, "> quoted\n" + "straw " * 100 + "needle " + "hay " * 100)
    assert "needle" in line
    assert line.startswith("…")
    assert line.endswith("…")
    assert len(line) <= EXCERPT_CHARS + 2
    assert excerpt(wanted, "nothing here") == ""
    assert excerpt(wanted, "> > needle") == "needle"


def test_the_text_is_read_only_where_the_preview_shows_nothing(mine: Access, django_assert_num_queries: object) -> None:
    near = stored(mine, letter("a", body="a needle at once"))
    far = stored(mine, letter("b", body="straw " * 200 + "needle at last"))
    none = stored(mine, letter("c", body="straw", subject="needle"))
    found = excerpts(mine, rows_of(mine, [near, far, none]), marks_of("needle"))
    assert found[near] == "a needle at once"
    assert "needle at last" in found[far]
    assert none not in found
