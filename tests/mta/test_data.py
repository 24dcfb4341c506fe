"""The DATA reader: what ends a message, what does not, in any chunking."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mta.smtp_in.data import DataReader, has_bare_line_end

LIMIT = 1000


def read(blocks: list[bytes], limit: int = LIMIT) -> tuple[DataReader, bytes | None, bytes]:
    """Feed blocks; the reader, the message (None while unfinished) and what was left over."""
    reader = DataReader(limit)
    for number, block in enumerate(blocks):
        used = reader.feed(block)
        if used >= 0:
            return reader, reader.message(), block[used:] + b"".join(blocks[number + 1 :])
    return reader, None, b""


TABLE = [
    (b".\r\n", b""),
    (b"\r\n.\r\n", b"\r\n"),
    (b"a\r\n.\r\n", b"a\r\n"),
    (b"a\r\n..\r\n.\r\n", b"a\r\n.\r\n"),
    (b"..a\r\n.\r\n", b".a\r\n"),
    (b".a\r\n.b\r\n.\r\n", b"a\r\nb\r\n"),
    (b"a\r\n\r\n.\r\n", b"a\r\n\r\n"),
]


@pytest.mark.parametrize(("wire", "message"), TABLE)
def test_a_dot_alone_on_its_line_ends_the_message_and_dots_are_unstuffed(wire: bytes, message: bytes) -> None:
    assert read([wire + b"NOOP\r\n"])[1:] == (message, b"NOOP\r\n")


SMUGGLING = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r.\r",
    b"\r\n.\r",
    b"\r\n.\n",
    b"\r.\r\n",
    b"\n.\r",
    b"\r\n.\r\r\n",
    b"\r\n\x00.\r\n",
    b"\r\n. \r\n",
]


@pytest.mark.parametrize("trick", SMUGGLING)
def test_nothing_but_crlf_dot_crlf_ends_a_message(trick: bytes) -> None:
    reader, message, rest = read([b"a" + trick + b"MAIL FROM:<evil@example.com>\r\nb\r\n.\r\n"])
    assert message is not None
    assert b"MAIL FROM" in message
    assert rest == b""


@pytest.mark.parametrize(
    ("message", "bare"),
    [(b"a\r\n", False), (b"", False), (b"a\nb\r\n", True), (b"a\rb\r\n", True), (b"\n\r", True), (b"a\r\r\n", True)],
)
def test_a_cr_or_lf_alone_is_noticed(message: bytes, bare: bool) -> None:
    assert has_bare_line_end(message) is bare


@given(
    st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n", b"\r\n.", b"\0"]), max_size=40).map(b"".join),
    st.lists(st.integers(1, 60), max_size=12),
)
def test_any_chunking_reads_the_same(wire: bytes, cuts: list[int]) -> None:
    whole = wire + b"\r\n.\r\nQUIT\r\n"
    blocks, at = [], 0
    for cut in cuts:
        blocks.append(whole[at : at + cut])
        at += cut
    blocks.append(whole[at:])
    assert read(blocks)[1:] == read([whole])[1:]
    assert read([bytes([byte]) for byte in whole])[1:] == read([whole])[1:]


@given(st.binary(max_size=300))
def test_what_a_client_stuffs_comes_out_as_it_was(content: bytes) -> None:
    message = content.replace(b"\r", b"").replace(b"\n", b"\r\n") + b"\r\n"
    wire = (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
    assert read([wire])[1:] == (message, b"")


def test_a_message_of_exactly_the_limit_is_taken_however_many_dots_were_stuffed() -> None:
    reader, message, _ = read([b"..\r\n" * 250 + b".\r\n"], limit=750)
    assert message is not None
    assert len(message) == 750
    assert not reader.too_large


def test_one_byte_more_is_too_large() -> None:
    reader, _, _ = read([b"a" * 749 + b"\r\n.\r\n"], limit=750)
    assert reader.too_large


def test_beyond_the_limit_the_end_is_still_found_and_memory_stays_small() -> None:
    reader = DataReader(LIMIT)
    for _ in range(1000):
        assert reader.feed(b"a" * 1000) == -1
        assert reader.held_bytes < 4 * LIMIT
    assert reader.feed(b"\r\n.\r\nQUIT") == 5
    assert reader.too_large


def test_a_reader_that_gave_up_holds_nothing_and_still_finds_the_end() -> None:
    reader = DataReader(LIMIT)
    reader.feed(b"a" * 500)
    reader.give_up()
    assert reader.held_bytes < 10
    assert reader.feed(b"\r\n.") == -1
    assert reader.feed(b"\r\n") == 2
    assert reader.out_of_memory


@given(
    st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n", b"\r\n.", b"\r\n..", b"aaaa"]), max_size=60).map(
        b"".join
    ),
    st.integers(1, 40),
)
def test_what_goes_to_the_disk_reads_the_same(wire: bytes, step: int) -> None:
    whole = wire + b"\r\n.\r\n"
    blocks = [whole[at : at + step] for at in range(0, len(whole), step)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mta.smtp_in.data.AFTER_BYTES", 8)
        spooled, message, rest = read(blocks)
        assert (message, rest) == read([whole])[1:]
        assert spooled.held_bytes <= 8 + step + 8


def test_too_much_on_the_disk_is_forgotten() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mta.smtp_in.data.AFTER_BYTES", 100)
        reader, _message, rest = read([b"a" * 98 + b"\r\n"] * 60 + [b".\r\nNOOP\r\n"], limit=2_000)
    assert reader.too_large
    assert reader.spooled_bytes == 0
    assert rest == b"NOOP\r\n"


def test_a_full_disk_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object, data: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mta.smtp_in.data.AFTER_BYTES", 100)
    monkeypatch.setattr("mta.smtp_in.spool.Spool.write", full)
    reader, _message, _rest = read([b"a" * 98 + b"\r\n"] * 5 + [b".\r\n"])
    assert reader.out_of_memory
