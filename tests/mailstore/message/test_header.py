"""Where headers end, what their fields are, and what encoded words say."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mailstore.message import header

BLOCKS = [
    (b"A: b\r\n\r\nbody", 8),
    (b"A: b\n\nbody", 6),
    (b"A: b\r\n folded\r\n\tmore\r\n\r\nbody", 24),
    (b"From bob Mon Jan 1\r\nA: b\r\n\r\nbody", 28),
    (b"\r\nbody", 2),
    (b"A: b\r\nno header line\r\n\r\nbody", 6),
    (b"just text", 0),
    (b"A: b", 4),
    (b"A : b\r\n\r\n", 9),
    (b"", 0),
]


@pytest.mark.parametrize(("raw", "body"), BLOCKS)
def test_the_body_begins_behind_the_empty_line_or_at_the_first_line_that_is_no_header(raw: bytes, body: int) -> None:
    assert header.block_end(raw, 0, len(raw))[1] == body


def test_fields_keep_their_order_and_their_folds() -> None:
    raw = b"A: 1\r\nb : 2\r\n 3\r\nA: 4\r\n\r\n"
    assert header.fields(raw, 0, len(raw)) == [(b"A", b" 1\r"), (b"b", b" 2\r\n 3\r"), (b"A", b" 4\r")]
    assert header.first_of(header.fields(raw, 0, len(raw)))[b"a"] == b" 1\r"


WORDS = [
    ("plain", "plain"),
    ("=?utf-8?B?5L2g5aW9?=", "你好"),
    ("=?GB2312?B?xOO6ww==?=", "你好"),
    ("=?utf-8?q?=E4=BD=A0_=E5=A5=BD?=", "你 好"),
    # RFC 2047 8: the examples.
    ("(=?ISO-8859-1?Q?a?=)", "(a)"),
    ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
    ("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
    ("(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
    # RFC 2231 5: a language.
    ("=?utf-8*zh?B?5L2g5aW9?=", "你好"),
    # A character split between words, which RFC 2047 5 forbids and mailers do.
    ("=?utf-8?B?5L2g5Q==?= =?UTF-8?B?pb0=?=", "你好"),
    ("=?gb2312?B?xA==?=\t=?gb2312?B?47rD?=", "你好"),
    # No padding, spaces in the text, one in quotes, two without a space.
    ("=?utf-8?B?5L2g5aW9IQ?=", "你好!"),
    ("=?utf-8?Q?a b c?=", "a b c"),
    ('"=?utf-8?B?5L2g?=" x', '"你" x'),
    ("=?utf-8?B?5L2g?==?utf-8?B?5aW9?=", "你好"),
    ("=?big5?B?p0Gmbg==?= =?utf-8?B?5aW9?=", "你好好"),
    ("=?no-such?B?5L2g5aW9?=", "你好"),
    ("=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
    ("a\x00b\x07c", "abc"),
]


@pytest.mark.parametrize(("raw", "text"), WORDS)
def test_encoded_words_are_read_as_people_mean_them(raw: str, text: str) -> None:
    assert header.decode_words(raw) == text


@given(st.text(max_size=300))
def test_what_is_encoded_comes_back(text: str) -> None:
    clean = header.folded(text)
    if "=?" not in clean:
        assert header.decode_words(header.encode_words(clean)) == clean


@given(st.text(st.characters(min_codepoint=0x80, exclude_categories=["Cs"]), min_size=1))
def test_no_encoded_word_is_longer_than_rfc_2047_allows(text: str) -> None:
    words = header.encode_words(text).split(" ")
    assert all(len(word) <= 75 and word.isascii() for word in words)


@pytest.mark.parametrize("data", [b"SGVsbG8", b"SGVs\r\nbG8=", b"SGVs!*bG8=", b"SGVsbG8=====", b"SGVsbG8x"[:7]])
def test_damaged_base64_is_read_as_far_as_it_goes(data: bytes) -> None:
    assert header.base64_bytes(data) == b"Hello"
