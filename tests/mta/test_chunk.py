"""BDAT's reader and grammar."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mta.smtp_in.chunk import ChunkReader, parse_bdat


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0", (0, False)),
        ("12 LAST", (12, True)),
        ("12  last", (12, True)),
        ("", None),
        ("-1", None),
        ("1 2", None),
        ("1x", None),
        ("١", None),
        ("9" * 21, None),
        ("LAST", None),
    ],
)
def test_the_argument_is_a_size_and_perhaps_last(text: str, wanted: tuple[int, bool] | None) -> None:
    assert parse_bdat(text) == wanted


@given(st.lists(st.binary(max_size=40), max_size=6), st.binary(max_size=20), st.integers(1, 50))
def test_chunks_in_any_pieces_make_the_message_and_leave_what_follows(
    chunks: list[bytes], after: bytes, step: int
) -> None:
    reader = ChunkReader(1000)
    for chunk in chunks:
        reader.begin(len(chunk), is_last=False)
        wire, rest, at = chunk + after, b"", 0
        while True:
            piece = wire[at : at + step]
            used = reader.feed(piece)
            at += len(piece)
            if used >= 0:
                rest = piece[used:] + wire[at:]
                break
        assert rest == after
    assert reader.message() == b"".join(chunks)


def test_too_much_is_read_and_forgotten() -> None:
    reader = ChunkReader(10)
    reader.begin(8, is_last=False)
    assert reader.feed(b"12345678") == 8
    reader.begin(10**15, is_last=True)
    assert reader.feed(b"x" * 100_000) == -1
    assert (reader.too_large, reader.held_bytes) == (True, 0)


def test_a_reader_without_memory_keeps_nothing() -> None:
    reader = ChunkReader(100)
    reader.begin(8, is_last=True)
    reader.feed(b"1234")
    reader.give_up()
    assert reader.feed(b"5678") == 4
    assert reader.held_bytes == 0
