"""The stress client's strict reader of responses."""

from __future__ import annotations

import pytest

from webmail.stress.responses import MalformedResponseError, numbers, pairs, response


@pytest.mark.parametrize(
    ("pieces", "name", "values"),
    [
        ([b"* 3 EXISTS"], b"EXISTS", [b"3", b"EXISTS"]),
        ([b"* VANISHED (EARLIER) 1:3,7"], b"VANISHED", [b"VANISHED", [b"EARLIER"], b"1:3,7"]),
        ([b'* 1 FETCH (UID 4 FLAGS (\\Seen x) BODY[HEADER.FIELDS (A B)]<0> ', b"a(b", b")"], b"FETCH",
         [b"1", b"FETCH", [b"UID", b"4", b"FLAGS", [b"\\Seen", b"x"], b"BODY[HEADER.FIELDS (A B)]<0>", b"a(b"]]),
        ([b'* LIST (\\HasNoChildren) "/" "a \\"b\\""'], b"LIST", [b"LIST", [b"\\HasNoChildren"], b"/", b'a "b"']),
        ([b"* 1 FETCH (BODY ((NIL NIL)(NIL) X))"], b"FETCH",
         [b"1", b"FETCH", [b"BODY", [[b"NIL", b"NIL"], [b"NIL"], b"X"]]]),
    ],
)  # fmt: skip
def test_a_response_is_read(pieces: list[bytes], name: bytes, values: object) -> None:
    found = response(pieces)
    assert found.name == name
    assert found.values == values


def test_a_status_has_its_code_and_text() -> None:
    found = response([b"c1 OK [APPENDUID 1 2] Appended (well)"])
    assert (found.tag, found.status, found.code, found.text) == (b"c1", b"OK", b"APPENDUID 1 2", b"Appended (well)")


@pytest.mark.parametrize(
    "line", [b"", b"*", b"* 1 FETCH (UID 4", b"* 1 FETCH UID 4)", b'* LIST () "/', b"x FETCH 1", b"* 1 FETCH (a  b)"]
)
def test_what_is_not_in_the_grammar_is_seen(line: bytes) -> None:
    with pytest.raises(MalformedResponseError):
        response([line])


def test_names_must_come_in_pairs_and_once() -> None:
    assert pairs([b"uid", b"1", b"FLAGS", []]) == {b"UID": b"1", b"FLAGS": []}
    for wrong in ([b"UID"], [b"UID", b"1", b"uid", b"2"], b"UID"):
        with pytest.raises(MalformedResponseError):
            pairs(wrong)


def test_a_set_is_written_out() -> None:
    assert numbers(b"1:3,7") == [1, 2, 3, 7]
    with pytest.raises(MalformedResponseError):
        numbers(b"1:*")
