"""What each engine is asked, and that both answer the same where positions end."""

from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import given, strategies as st

from core.access import Access
from mailstore import sql
from mailstore.search.document import Document
from mailstore.search.expression import Either, Every, Expression, Phrase
from mailstore.search.index import index
from mailstore.search.postgres import (
    IN_MAILBOX,
    MAX_POSITION,
    MAX_POSITIONS,
    ONE_PERIOD,
    SOME_PERIODS,
    _by_index,
    query,
    vector,
)
from mailstore.search.sqlite import match
from mailstore.search.words import words

ONE, TWO, GO_ON = Phrase(("a",)), Phrase(("s_全球", "s_球邮")), Phrase(("a", "b"), is_prefix=True)


@pytest.mark.parametrize(
    ("expression", "fts5", "tsquery"),
    [
        (ONE, '"a"', "'a'"),
        (Phrase(("王",), is_prefix=True), '"王" *', "'王':*"),
        (TWO, '"s_全球 s_球邮"', "(('s_全球' <-> 's_球邮') | ('s_全球' & 's_球邮' & ('__' | '_s_全球' | '_s_球邮')))"),
        (GO_ON, '"a b" *', "(('a' <-> 'b':*) | ('a' & 'b':* & ('__' | '_a' | '_b')))"),
        (Either((ONE, ONE)), '("a" OR "a")', "('a' | 'a')"),
        (Every((ONE, Phrase(("b",))), (Phrase(("c",)),)), '(("a" AND "b") NOT ("c"))', "('a' & 'b' & !'c')"),
    ],
)
def test_an_expression_in_both_syntaxes(expression: Expression, fts5: str, tsquery: str) -> None:
    assert match(expression) == fts5
    assert query(expression) == tsquery


def test_a_vector_names_places_and_leaves_gaps_out() -> None:
    assert vector(["a", "b", "_", "a"]) == "'a':1,4 'b':2"
    assert vector([]) == ""


@given(st.text(max_size=60))
def test_tokens_are_never_syntax(text: str) -> None:
    tokens = words(text)
    assert all(token.isalnum() or not token.isascii() for token in tokens)
    assert not any(set(token) & set("'\"\\ :*&|!()<>") for token in tokens)


@pytest.mark.parametrize("filler", ["z " * (MAX_POSITIONS + 50), " ".join(f"w{n}" for n in range(MAX_POSITION + 50))])
def test_a_phrase_behind_the_last_position_is_found(mine: Access, filler: str) -> None:
    tokens = words(f"alpha beta {filler} gamma delta z omega")
    index().add([Document((mine.mailbox << 36) + 1, mine.mailbox, 0, tokens)])

    def is_found(*words_of_it: str) -> bool:
        return bool(index().hits(mine.mailbox, Phrase(words_of_it), low=0, high=1 << 62, limit=5))

    assert is_found("alpha", "beta")
    assert is_found("gamma", "delta")
    assert is_found("z", "omega")
    assert not is_found("alpha", "zeta")


TEXTS = ["a b", "b a", "a x b", "a", "b", "x", "a b x", "x a b"]
A, B, NEAR = Phrase(("a",)), Phrase(("b",)), Phrase(("a", "b"))
ASKED: dict[str, tuple[Expression, set[str]]] = {
    "near": (NEAR, {"a b", "a b x", "x a b"}),
    "near or x": (Either((NEAR, Phrase(("x",)))), {"a b", "a b x", "x a b", "x", "a x b"}),
    "a, not near": (Every((A,), (NEAR,)), {"b a", "a x b", "a"}),
    "a, not b": (Every((A,), (B,)), {"a"}),
    "a, not (near and x)": (Every((A,), (Every((NEAR, Phrase(("x",)))),)), {"a b", "b a", "a x b", "a"}),
    "a, not (b without near)": (Every((A,), (Every((B,), (NEAR,)),)), {"a b", "a", "a b x", "x a b"}),
}


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("limit", [1, 3, 50])
def test_words_side_by_side_are_told_from_words_apart_newest_first(mine: Access, name: str, limit: int) -> None:
    expression, expected = ASKED[name]
    first = (mine.mailbox << 36) + 1
    texts = [TEXTS[number % len(TEXTS)] for number in range(24)]
    week_us = 7 * 86_400_000_000
    documents = [
        Document(first + number, mine.mailbox, number * week_us, words(text)) for number, text in enumerate(texts)
    ]
    index().add(documents)
    found, high = [], 1 << 62
    while hits := index().hits(mine.mailbox, expression, low=0, high=high, limit=limit):
        found += [hit.message_id - first for hit in hits]
        high = hits[-1].key - 1
    assert found == [number for number in reversed(range(24)) if texts[number] in expected]


def test_what_the_index_alone_knows_is_asked_without_places() -> None:
    assert query(Every((NEAR, A), (NEAR, B)), is_near=False) == "(('a' & 'b') & 'a' & !'b')"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="reads PostgreSQL's plans")
@pytest.mark.parametrize(
    ("condition", "values"),
    [(ONE_PERIOD, [7]), (SOME_PERIODS, [7, 9]), (IN_MAILBOX, [7])],
    ids=["one", "some", "mailbox"],
)
def test_postgres_asks_its_index_for_words_and_place_together(db: None, condition: str, values: list[int]) -> None:
    with _by_index():
        sql.run("SET LOCAL enable_indexscan = off")
        question = f"EXPLAIN SELECT key FROM mailstore_searchdocument WHERE {condition} AND v @@ %s::tsquery"
        plan = "\n".join(row[0] for row in sql.rows(question, [*values, "'invoice'"]))
    (asked,) = [line for line in plan.splitlines() if "Index Cond" in line]
    assert "v @@" in asked and condition.split()[0] in asked and "search_words" in plan
