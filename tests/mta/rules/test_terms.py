"""Lines of filters: what is read, what is refused and how it is said."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from core.errors import ErrorKind, MailError
from mta.rules.terms import Action, Condition, Do, How, What, actions_of, conditions_of
from mta.rules.words import explained

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def test_lines_are_read_and_folded() -> None:
    lines = [
        {"what": "subject", "how": "contains", "value": " 發票ＡＢ "},
        {"what": "header", "how": "is", "header": "List-ID", "value": "X", "not": True},
        {"what": "size", "how": "over", "value": 500},
        {"what": "attachment", "how": "present"},
    ]
    assert conditions_of(lines) == (
        Condition(What.SUBJECT, How.CONTAINS, "发票ab"),
        Condition(What.HEADER, How.IS, "x", "list-id", negated=True),
        Condition(What.SIZE, How.OVER, "500"),
        Condition(What.ATTACHMENT, How.PRESENT),
    )
    assert actions_of([{"do": "move", "target": "77"}, {"do": "star"}]) == (Action(Do.MOVE, 77), Action(Do.STAR))


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ({"what": "colour", "how": "is", "value": "x"}, "what"),
        ({"what": "text", "how": "matches", "value": "x"}, "how"),
        ({"what": "size", "how": "over", "value": "many"}, "value"),
        ({"what": "size", "how": "over", "value": "²"}, "value"),
        ({"what": "subject", "how": "is", "value": " "}, "value"),
        ({"what": "subject", "how": "is", "value": "x" * 101}, "value"),
        ({"what": "header", "how": "is", "value": "x", "header": "a b"}, "header"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(line: dict[str, str], wrong: str) -> None:
    good = {"what": "attachment", "how": "present"}
    with pytest.raises(MailError) as caught:
        conditions_of([good, line])
    assert (caught.value.kind, caught.value.data) == (
        ErrorKind.INVALID,
        {"field": "conditions", "number": 1, "wrong": wrong},
    )
    assert "2" in str(explained(caught.value))


@given(JSON)
def test_nothing_else_than_a_refusal_comes_of_nonsense(value: object) -> None:
    for parse in (conditions_of, actions_of):
        try:
            parse(value)
        except MailError as error:
            assert error.kind in (ErrorKind.INVALID, ErrorKind.LIMIT)
