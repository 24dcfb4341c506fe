"""Bytes to text under right, wrong and missing labels."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mailstore.message import charset

SIMPLIFIED = "请各位同事周五之前确认季度报告，谢谢。"
TRADITIONAL = "您好，請確認產品報價單與交貨時間，謝謝。"

RIGHT_OR_WRONG = [
    # text, encoded in, labelled as
    (SIMPLIFIED, "gbk", "gb2312"),
    ("朱镕基题词", "gbk", "GB2312"),
    ("𠮷野家", "gb18030", "gbk"),
    (SIMPLIFIED, "gbk", "x-gbk"),
    (SIMPLIFIED, "gbk", ""),
    (SIMPLIFIED, "gbk", "us-ascii"),
    (SIMPLIFIED, "gbk", "x-no-such-charset"),
    (SIMPLIFIED, "gbk", "utf-8"),
    (SIMPLIFIED, "utf-8", "gb2312"),
    (SIMPLIFIED, "utf-8", "iso-8859-1"),
    (SIMPLIFIED, "utf-8", ""),
    (SIMPLIFIED, "hz", "hz-gb-2312"),
    (TRADITIONAL, "big5", "big5"),
    (TRADITIONAL, "big5", ""),
    ("許功蓋", "cp950", '"Big5"'),
    ("香港嘅茶餐廳", "big5hkscs", "big5"),
    ("日本語のメール", "iso2022_jp", "ISO-2022-JP"),
    ("日本語のメール", "cp932", "shift_jis"),
    ("한국어 메일", "cp949", "ks_c_5601-1987"),
    ("Grüße – “hi” €", "cp1252", "iso-8859-1"),
    ("Привет", "koi8-r", "koi8-r"),
    ("hello", "utf-7", "utf-7"),
    ("你好", "utf-16", ""),
]


@pytest.mark.parametrize(("text", "codec", "label"), RIGHT_OR_WRONG)
def test_text_is_read_whatever_its_label_says(text: str, codec: str, label: str) -> None:
    assert charset.decode(text.encode(codec), label) == text


def test_utf8_loses_nul_and_other_codecs_their_surrogates_too() -> None:
    assert charset.decode("报\0价".encode(), "utf-8") == "报价"
    assert charset.decode("a\0价".encode("utf-16-le"), "utf-16-le") == "a价"
    assert charset.scalar("报\ud800价") == "报\ufffd价"


@pytest.mark.parametrize("length", range(1, 40))
def test_a_cut_character_at_the_end_is_left_out(length: int) -> None:
    data = SIMPLIFIED.encode("gbk")[:length]
    assert charset.decode(data, "gb2312", truncated=True) == SIMPLIFIED[: length // 2]


@pytest.mark.parametrize(
    "label", ["punycode", "idna", "unicode_escape", "zlib", "rot13", "undefined", "base64", "x" * 999]
)
def test_codecs_that_are_no_charset_are_not_used(label: str) -> None:
    assert charset.codec_of(label) is None
    assert charset.decode(b"\\u0041 \xff", label).startswith("\\u0041")


@given(
    st.binary(max_size=400), st.sampled_from(["", "gb2312", "big5", "utf-8", "utf-7", "hz", "utf-16", "iso-2022-jp"])
)
def test_any_bytes_become_text_that_a_database_takes(data: bytes, label: str) -> None:
    for truncated in (False, True):
        text = charset.decode(data, label, truncated=truncated)
        assert "\0" not in text
        text.encode("utf-8")


@given(
    st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1), st.sampled_from(["gbk", "utf-8"])
)
def test_rightly_labelled_text_comes_back_as_it_was(text: str, codec: str) -> None:
    data = text.encode(codec)
    decoded = charset.decode(data, codec)
    # GBK that happens to be valid UTF-8 Han from end to end is read as UTF-8.
    assert decoded in (text, data.decode("utf-8", "ignore"))
