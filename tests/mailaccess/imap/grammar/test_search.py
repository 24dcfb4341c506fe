"""Search keys out of any bytes: a tree or a clear refusal, never anything else, never too deep."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.reader import Literal
from mailaccess.imap.grammar.returns import Part, Returns, returns
from mailaccess.imap.grammar.search import (
    MAX_DEPTH,
    MAX_KEYS,
    MAX_READING,
    And,
    Dated,
    Every,
    Flagged,
    HasHeader,
    Holds,
    Key,
    Keys,
    Not,
    Numbered,
    Or,
    Recent,
    Sized,
    TooManyKeysError,
    UnknownCharsetError,
    codec,
)
from mailaccess.imap.grammar.sets import SequenceSet
from mailaccess.imap.grammar.sort import Criterion, criteria


def parsed(*pieces: bytes | Literal, charset: str = "") -> Key:
    """The key."""
    return Keys(Cursor(pieces), charset).all()


@pytest.mark.parametrize(
    ("said", "key"),
    [
        (b"ALL", Every()),
        (b"unseen", Not(Flagged("\\SEEN"))),
        (b"KEYWORD $Junk", Flagged("$JUNK")),
        (b"1:3,*", Numbered(SequenceSet(((1, 3), (0, 0))), by_uid=False)),
        (b"UID $", Numbered(SequenceSet((), is_saved=True), by_uid=True)),
        (b'SUBJECT "a b" SMALLER 7', And((Holds("subject", "a b"), Sized(7, larger=False)))),
        (b"NEW", And((Recent(), Not(Flagged("\\SEEN"))))),
        (b"NOT (SEEN OR DRAFT DELETED)", Not(And((Flagged("\\SEEN"), Or(Flagged("\\DRAFT"), Flagged("\\DELETED")))))),
        (b'HEADER X-A ""', HasHeader("x-a", "")),
    ],
)
def test_keys_are_read(said: bytes, key: Key) -> None:
    assert parsed(said) == key


def test_a_day_is_from_its_beginning_to_the_next() -> None:
    found = parsed(b'SENTON "1-Feb-2026"')
    assert isinstance(found, Dated)
    assert (found.which, str(found.first), str(found.last)) == ("sent", "2026-02-01", "2026-02-02")
    assert parsed(b"ON 31-Dec-9999") is not None


def test_texts_are_in_their_charset_wherever_they_stand() -> None:
    gbk = Literal("发票".encode("gbk"))
    assert parsed(b"SUBJECT ", gbk, b"", charset=codec(b"GB2312")) == Holds("subject", "发票")
    assert parsed(b"OR SUBJECT ", gbk, b" TEXT ", gbk, b"", charset="gb18030") == Or(
        Holds("subject", "发票"), Holds("text", "发票")
    )
    with pytest.raises(ImapSyntaxError):
        parsed(b"SUBJECT ", gbk, b"", charset="utf-8")
    with pytest.raises(UnknownCharsetError):
        codec(b"x-klingon")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b" ALL",
        b"ALL ",
        b"ALL  SEEN",
        b"NOT",
        b"OR SEEN",
        b"(SEEN",
        b"()",
        b"SEEN)",
        b"XYZ",
        b"SUBJECT",
        b"0",
        b"1:",
    ],
)
def test_what_is_no_key_is_refused(said: bytes) -> None:
    with pytest.raises(ImapSyntaxError):
        parsed(said)


def test_nesting_and_number_are_bounded() -> None:
    assert parsed(b"NOT " * MAX_DEPTH + b"ALL")
    for said in (
        b"NOT " * (MAX_DEPTH + 1) + b"ALL",
        b"(" * 60 + b"ALL" + b")" * 60,
        b"OR ALL " * 5_000 + b"ALL",
        b"SEEN " * MAX_KEYS + b"SEEN",
        b"TEXT a " * MAX_READING + b"BODY b SEEN",
    ):
        with pytest.raises(TooManyKeysError):
            parsed(said)


WORDS = [
    b"OR",
    b"NOT",
    b"(",
    b")",
    b" ",
    b"SEEN",
    b"SUBJECT",
    b'"a',
    b'"',
    b"1:2",
    b"$",
    b"MODSEQ",
    b"HEADER",
    b"\xe5\x8f",
]


@given(st.lists(st.sampled_from(WORDS) | st.binary(max_size=3), max_size=20))
def test_any_bytes_are_a_key_or_a_refusal(pieces: list[bytes]) -> None:
    for read in (parsed, lambda line: returns(Cursor([line])), lambda line: criteria(Cursor([line]))):
        try:
            read(b"".join(pieces).replace(b"\n", b"").replace(b"\r", b""))
        except (ImapSyntaxError, TooManyKeysError):
            pass


@pytest.mark.parametrize(
    ("said", "options"),
    [
        (b"()", Returns(frozenset({"all"}))),
        (b"(min COUNT)", Returns(frozenset({"min", "count"}))),
        (b"(SAVE)", Returns(frozenset(), save=True)),
        (b"(SAVE ALL)", Returns(frozenset({"all"}), save=True)),
        (b"(PARTIAL 9:2)", Returns(frozenset(), partial=Part(2, 9))),
        (b"(PARTIAL -1:-5 COUNT)", Returns(frozenset({"count"}), partial=Part(1, 5, from_end=True))),
    ],
)
def test_return_options_are_read(said: bytes, options: Returns) -> None:
    assert returns(Cursor([said])) == options


@given(st.integers(1, 12), st.integers(1, 12), st.booleans(), st.integers(0, 15))
def test_a_part_is_a_slice_from_either_end(first: int, last: int, from_end: bool, total: int) -> None:
    low, high = sorted((first, last))
    numbers = list(range(1, total + 1))
    counted = numbers[::-1] if from_end else numbers
    begin, end = Part(low, high, from_end=from_end).place(total)
    assert numbers[begin:end] == sorted(counted[low - 1 : high])


def test_sort_criteria_are_read() -> None:
    found = criteria(Cursor([b"(REVERSE DATE subject)"]))
    assert found == [Criterion("DATE", reverse=True), Criterion("SUBJECT")]
