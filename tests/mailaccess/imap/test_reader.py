"""Commands out of bytes, however they are cut; bounded before anything is held."""

from __future__ import annotations

from hypothesis import given, strategies as st

from mailaccess.imap.grammar.reader import (
    GUEST_LINE_MAX,
    GUEST_LITERAL_MAX,
    LITERAL_MAX,
    Command,
    Continue,
    Literal,
    Reader,
    Refused,
)


def reader(*, guest: bool = False) -> Reader:
    """A reader that takes APPENDs of 1,000 bytes."""
    return Reader(1_000, is_guest=guest)


def events(made: Reader, data: bytes, sizes: tuple[int, ...] = ()) -> list[object]:
    """All events of some bytes, fed in pieces."""
    found: list[object] = []
    at = 0
    for size in (*sizes, len(data)):
        made.feed(data[at : at + size])
        at += size
        while (event := made.next()) is not None:
            found.append(event)
    return found


STREAM = b"a NOOP\r\nb LOGIN {5+}\r\nalice {3}\r\nx y\r\nc APPEND x ~{4}\r\n\0\1\2\3\r\nd NOOP\n"
EXPECTED = [
    Command([b"a NOOP"]),
    Continue(),
    Command([b"b LOGIN ", Literal(b"alice"), b" ", Literal(b"x y"), b""]),
    Continue(),
    Command([b"c APPEND x ", Literal(b"\0\1\2\3", binary=True), b""]),
    Command([b"d NOOP"]),
]


@given(st.lists(st.integers(1, 9), max_size=40))
def test_the_cuts_of_the_network_do_not_matter(sizes: list[int]) -> None:
    assert events(reader(), STREAM, tuple(sizes)) == EXPECTED


def test_a_large_literal_is_refused_before_it_is_read() -> None:
    assert events(reader(), b"a APPEND x {1001}\r\n") == [Refused(b"a", is_append=True, fatal=False)]
    assert events(reader(), b"a LOGIN {%d}\r\n" % (LITERAL_MAX + 1)) == [Refused(b"a", is_append=False, fatal=False)]
    assert events(reader(), b"a APPEND x {1001+}\r\n") == [Refused(b"a", is_append=True, fatal=True)]
    assert events(reader(guest=True), b"a LOGIN {%d}\r\n" % (GUEST_LITERAL_MAX + 1))[0] == Refused(b"a", False, False)
    assert events(reader(guest=True), b"a APPEND x {900}\r\n") == [Continue()]


def test_after_a_refused_literal_the_next_command_is_obeyed() -> None:
    assert events(reader(), b"a APPEND x {9999}\r\nb NOOP\r\n")[1:] == [Command([b"b NOOP"])]


def test_a_line_without_end_is_refused() -> None:
    made = reader(guest=True)
    assert events(made, b"a " + b"x" * GUEST_LINE_MAX) == [Refused(b"a", is_append=False, fatal=True)]


def test_memory_that_is_not_given_refuses_the_literal() -> None:
    made = Reader(1_000, is_guest=False, take=lambda size: size < 10)
    assert events(made, b"a APPEND x {10}\r\n") == [Refused(b"a", is_append=True, fatal=False)]


def test_a_command_of_endless_literals_is_refused() -> None:
    found = events(reader(), b"a SEARCH" + b" {0+}\r\n" * 3_000)
    assert any(isinstance(event, Refused) for event in found)


@given(st.binary(max_size=300), st.booleans())
def test_anything_is_an_event_or_waits(data: bytes, guest: bool) -> None:
    assert all(isinstance(event, Command | Continue | Refused) for event in events(reader(guest=guest), data))
