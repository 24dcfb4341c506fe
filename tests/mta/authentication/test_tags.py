"""Lists of tags, and a signature without its value."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from mta.authentication.tags import parse_tags, without_signature

_VALUE = re.compile(rb"((?:^|;)[ \t\r\n]*b[ \t\r\n]*=)[^;]*")


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        (b"D: a=1; b=xyz; c=2", b"D: a=1; b=; c=2"),
        (b"D: b=xy\r\n\tz", b"D: b="),
        (b"D:b = xyz;", b"D:b =;"),
        (b"D: bh=xyz; a=b=1;\r\n\tb\t=\r\n xyz;b=2", b"D: bh=xyz; a=b=1;\r\n\tb\t=;b=2"),
        (b"D: bh=xyz", b"D: bh=xyz"),
        (b"nothing", b"nothing:"),
    ],
    ids=["between", "at the end", "with spaces", "not of bh, the first one alone", "there is none", "no field"],
)
def test_the_value_of_b_is_taken_out_and_nothing_else(raw: bytes, left: bytes) -> None:
    assert without_signature(raw) == left


@given(st.text("b=; \t\r\nah:x\\1").map(str.encode))
def test_any_field_loses_what_the_grammar_says(raw: bytes) -> None:
    name, _, value = raw.partition(b":")
    assert without_signature(raw) == name + b":" + _VALUE.sub(rb"\1", value, count=1)


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        (b"v=1; x_y2=z;", {"v": "1", "x_y2": "z"}),
        (b" bh =a=b", {"bh": "a=b"}),
        (b"_x=1", None),
        (b"2=1", None),
        (b"=1", None),
        (b"v=1;v=1", None),
        ("é=1".encode(), None),
    ],
)
def test_names_are_those_of_the_grammar(value: bytes, tags: dict[str, str] | None) -> None:
    assert parse_tags(value) == tags
