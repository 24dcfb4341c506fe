"""Any bytes in the parsers: a value or ImapSyntaxError, bounded, nothing else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings, strategies as st

from mailaccess.imap.catenating import parts
from mailaccess.imap.errors import NoError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.dates import date, date_time
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.fetch import fetch_attributes, fetch_items
from mailaccess.imap.grammar.names import decode_name, decode_utf7, encode_utf7
from mailaccess.imap.grammar.notify import notify_arguments
from mailaccess.imap.grammar.reader import GUEST_LITERAL_MAX, LINE_MAX, Command, Literal, Reader, Refused
from mailaccess.imap.grammar.sets import MAX_NUMBER, parse_set, sequence_set, written
from mailaccess.imap.grammar.strings import string
from mailaccess.pop3.lines import stuffed, top

WORDS = st.sampled_from(
    [b"FETCH", b"BODY", b"BODY.PEEK", b"[", b"]", b"(", b")", b" ", b"<0.5>", b"HEADER.FIELDS", b"1", b"*", b":", b",", b'"',
     b"\\", b"SET", b"STATUS", b"SELECTED", b"SUBTREE", b"INBOXES", b"MessageNew", b"MessageExpunge", b"NONE", b"URL", b"TEXT",
     b"imap://a/b;UID=1", b"{3}", b"{3+}", b"\r\n", b"~", b"FLAGS", b"BINARY.SIZE", b"CHANGEDSINCE", b"\x00", b"\xff", b"99999999999999999999"]
)  # fmt: skip
NEARLY = st.one_of(st.binary(max_size=200), st.lists(WORDS, max_size=30).map(b"".join))
PARSERS = [
    lambda cursor: fetch_items(cursor),
    lambda cursor: sequence_set(cursor).resolved(7),
    lambda cursor: notify_arguments(cursor),
    lambda cursor: fetch_attributes(cursor),
    lambda cursor: parts(cursor),
    lambda cursor: date(cursor),
    lambda cursor: date_time(cursor),
    lambda cursor: cursor.flags(),
    lambda cursor: cursor.listed(cursor.astring, may_be_empty=True),
    lambda cursor: cursor.nstring(),
    lambda cursor: cursor.list_mailbox(),
    lambda cursor: cursor.number(),
]


@settings(max_examples=300, deadline=None)
@given(data=NEARLY, number=st.integers(0, len(PARSERS) - 1), literal=st.binary(max_size=20))
def test_a_parser_gives_a_value_or_a_syntax_error(data: bytes, number: int, literal: bytes) -> None:
    with contextlib.suppress(ImapSyntaxError):
        cursor = Cursor([data, Literal(literal), b""])
        with contextlib.suppress(NoError):
            PARSERS[number](cursor)
        cursor.end()


@settings(max_examples=300, deadline=None)
@given(pieces=st.lists(NEARLY, max_size=8), guest=st.booleans())
def test_the_reader_holds_no_more_than_it_may(pieces: list[bytes], guest: bool) -> None:
    taken: list[int] = []
    reader = Reader(100_000, is_guest=guest, take=lambda size: not taken.append(size))
    for piece in pieces:
        reader.feed(piece)
        for _ in range(300):
            event = reader.next()
            if event is None:
                break
            if isinstance(event, Command):
                literals = [each for each in event.pieces if isinstance(each, Literal)]
                assert not guest or sum(len(each.content) for each in literals) <= GUEST_LITERAL_MAX
            if isinstance(event, Refused) and event.fatal:
                return
        assert reader.held_bytes <= LINE_MAX + len(piece) + 100_000


@settings(max_examples=300, deadline=None)
@given(raw=st.binary(max_size=60), utf8=st.booleans())
def test_a_name_is_printable_or_refused(raw: bytes, utf8: bool) -> None:
    with contextlib.suppress(ImapSyntaxError):
        assert decode_name(raw, utf8=utf8).isprintable()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_modified_utf7_goes_both_ways(name: str) -> None:
    coded = encode_utf7(name)
    assert coded.isascii()
    assert decode_utf7(coded) == name


@given(st.binary(max_size=1_200), st.booleans())
def test_a_written_string_is_read_as_it_was(value: bytes, utf8: bool) -> None:
    made = string(value, utf8=utf8)
    assert b"\n" not in made.partition(b"}\r\n")[0] or made.startswith(b"{")
    if not made.startswith(b"{") and value.isascii():
        assert Cursor([made]).string() == value


@given(st.lists(st.integers(1, MAX_NUMBER), min_size=1, max_size=30))
def test_a_written_set_is_read_as_it_was(numbers: list[int]) -> None:
    ranges = parse_set(",".join(map(str, numbers)).encode()).resolved(MAX_NUMBER)
    assert parse_set(written(ranges).encode()).resolved(MAX_NUMBER) == ranges
    assert all(any(first <= each <= last for first, last in ranges) for each in numbers)


@given(st.binary(max_size=300), st.integers(0, 20))
def test_a_stuffed_answer_ends_once(content: bytes, count: int) -> None:
    for each in (content, top(content, min(len(content), 30), count)):
        lines = stuffed(each).split(b"\r\n")
        assert lines[-2:] == [b".", b""]
        assert b"." not in lines[:-2]


@pytest.mark.parametrize("depth", [65, 5_000])
def test_brackets_are_not_followed_for_ever(depth: int) -> None:
    cursor = Cursor([b"(" * depth + b"x" + b")" * depth])

    def nested() -> object:
        return cursor.listed(nested) if cursor.peek() == b"(" else cursor.atom()

    with pytest.raises(ImapSyntaxError, match="nested"):
        nested()


NOTIFY_WORDS = st.sampled_from(
    [b"SET ", b"STATUS ", b"(", b")", b" ", b"SELECTED", b"SELECTED-DELAYED", b"INBOXES", b"PERSONAL", b"SUBTREE", b"MAILBOXES",
     b"NONE", b"MessageNew", b"MessageExpunge", b"FlagChange", b"MailboxName", b"(UID FLAGS)", b"AnnotationChange", b"a", b'"b"']
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(NOTIFY_WORDS, max_size=25).map(b"".join))
def test_what_notify_asks_for_is_complete_or_refused(said: bytes) -> None:
    with contextlib.suppress(ImapSyntaxError):
        cursor = Cursor([b"SET " + said])
        asked = notify_arguments(cursor)
        cursor.end()
        for group in asked.groups:
            assert (
                not group.events & {"MessageNew", "MessageExpunge"}
                or group.unknown
                or group.events
                >= {
                    "MessageNew",
                    "MessageExpunge",
                }
            )
