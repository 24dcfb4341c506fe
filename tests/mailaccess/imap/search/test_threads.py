"""The trees of THREAD by the steps of RFC 5256, and for whatever ids messages name."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from mailaccess.imap.search.threads import Mails, Trees, ordered_subject, references, written

Mail = tuple[int, tuple[int, ...], int, bool, int]


def mail(own: int = 0, *above: int, subject: int = 0, reply: bool = False, sent: int = 0) -> Mail:
    """A row."""
    return own, above, subject, reply, sent


def columns(mails: list[Mail]) -> Mails:
    """Rows as columns."""
    return Mails(*([row[place] for row in mails] for place in range(5)))  # type: ignore[arg-type]


def numbered(trees: Trees) -> str:
    """By message number."""
    return written(trees, [str(place + 1) for place in range(trees.total)])


def shown(mails: list[Mail]) -> str:
    """REFERENCES by message number."""
    return numbered(references(columns(mails)))


@pytest.mark.parametrize(
    ("mails", "answer"),
    [
        pytest.param([], "", id="nothing"),
        pytest.param([mail(), mail()], "(1)(2)", id="without ids nothing is joined"),
        pytest.param([mail(1), mail(2, 1), mail(3, 1, 2), mail(4, 1, 2)], "(1 2 (3)(4))", id="a fork"),
        pytest.param([mail(1), mail(2, 3, 1), mail(3, 2)], "(3 1 2)", id="a loop is not closed"),
        pytest.param([mail(2, 3, 1), mail(3, 2)], "(2 1)", id="the same without the one between"),
        pytest.param([mail(5, 9), mail(6, 9)], "((1)(2))", id="brothers of a missing father"),
        pytest.param([mail(5, 8, 9)], "(1)", id="an only child of missing ones"),
        pytest.param([mail(5, 8, 9), mail(6, 8)], "((1)(2))", id="a grandchild moves up to its uncle"),
        pytest.param([mail(1), mail(3, 1, 2), mail(4, 1)], "(1 (2)(3))", id="a missing one between is left out"),
        pytest.param([mail(2, 1), mail(1)], "(2 1)", id="the father comes later"),
        pytest.param([mail(1), mail(1), mail(2, 1)], "(1 3)(2)", id="an id that comes twice"),
        pytest.param([mail(1, 1)], "(1)", id="its own father"),
        pytest.param(
            [mail(1), mail(2, 1, sent=5), mail(3, 1, sent=3), mail(4, sent=-1)], "(4)(1 (3)(2))", id="by date"
        ),
        pytest.param([mail(1, subject=7), mail(2, subject=7, reply=True)], "(1 2)", id="a reply by its subject"),
        pytest.param(
            [mail(1, subject=7, reply=True), mail(2, subject=7, sent=1)], "(2 1)", id="the original is above its reply"
        ),
        pytest.param([mail(1, subject=7), mail(2, subject=7)], "((1)(2))", id="two originals are brothers"),
        pytest.param(
            [mail(1, subject=7), mail(2, subject=7), mail(3, subject=7, reply=True)],
            "((1)(2)(3))",
            id="who comes after two brothers is a third",
        ),
        pytest.param(
            [mail(1, 9, subject=7), mail(2, 9, subject=8), mail(3, subject=7)],
            "((1)(2)(3))",
            id="a missing father takes who has his subject",
        ),
        pytest.param(
            [mail(1, 9, subject=7), mail(2, 9), mail(3, 8, subject=7), mail(4, 8)],
            "((1)(2)(3)(4))",
            id="two missing fathers become one",
        ),
        pytest.param([mail(1), mail(2)], "(1)(2)", id="an empty subject joins nobody"),
    ],
)
def test_references_are_threaded_as_the_rfc_says(mails: list[Mail], answer: str) -> None:
    assert shown(mails) == answer


def test_the_example_of_the_rfc_can_be_printed() -> None:
    """RFC 5256 4: `(2)(3 6 (4 23)(44 7 96))`."""
    places = {2: (), 3: (), 6: (3,), 4: (6,), 23: (4,), 44: (6,), 7: (44,), 96: (7,)}
    order = list(places)
    mails = [mail(number, *places[number], sent=order.index(number)) for number in order]
    assert written(references(columns(mails)), [str(each) for each in order]) == "(2)(3 6 (4 23)(44 7 96))"


def test_ordered_subject_puts_the_first_of_a_subject_above_the_others() -> None:
    mails = [
        mail(subject=1, sent=5),
        mail(subject=2, sent=2),
        mail(subject=1, sent=1),
        mail(subject=1, sent=9),
        mail(subject=3, sent=3),
        mail(subject=3, sent=4),
    ]
    assert numbered(ordered_subject(columns(mails))) == "(3 (1)(4))(2)(5 6)"


@given(
    st.lists(
        st.builds(
            lambda own, above, subject, reply, sent: mail(own, *above, subject=subject, reply=reply, sent=sent),
            st.integers(0, 12),
            st.lists(st.integers(1, 15), max_size=4),
            st.integers(0, 3),
            st.booleans(),
            st.integers(0, 3),
        ),
        max_size=14,
    )
)
def test_every_message_is_in_one_place_and_none_is_invented(mails: list[Mail]) -> None:
    for algorithm in (references, ordered_subject):
        text = numbered(algorithm(columns(mails)))
        assert sorted(map(int, re.findall(r"\d+", text))) == list(range(1, len(mails) + 1))
        assert text.count("(") == text.count(")")
        assert not re.search(r"\(\)|\( | \)|\(\((\d+ ?)+\)\)", text), text


def test_a_chain_of_many_answers_is_no_burden_in_either_order() -> None:
    count = 30_000
    chain = [mail(number + 1, *([number] if number else [])) for number in range(count)]
    assert shown(chain) == f"({' '.join(str(number) for number in range(1, count + 1))})"
    backwards = [mail(number, *([number - 1] if number > 1 else [])) for number in range(count, 0, -1)]
    assert shown(backwards).startswith(f"({count} {count - 1} ")


def test_ids_that_nobody_has_are_passed_once() -> None:
    """Each mail names the fifty before it, and none of them is here."""
    mails = [mail(0, *range(10 * number + 1, 10 * number + 51)) for number in range(2_000)]
    text = shown(mails)
    assert text.startswith("((1)(2)(3)")
    assert text.count("(") == 2_001
