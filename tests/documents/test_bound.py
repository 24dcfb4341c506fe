"""HTML that would hurt a parser is brought into bounds first."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from selectolax.lexbor import LexborHTMLParser

from documents.html.bound import MAX_CHARS, MAX_DEPTH, MAX_FORMATTING, MAX_REFERENCES, bounded
from documents.html.clean import clean_for_reading
from documents.html.send import clean_for_sending
from documents.html.text import html_to_text, text_to_html

SIZE = 1_000_000
UNITS = [
    "<div>",
    "<p>",
    "<b>",
    "<a><table>",
    "<table><tr><td>",
    "<",
    "<!--",
    "<p a='",
    "&",
    "&amp;",
    "&a",
    "<style>",
    "<svg>",
    "<math><mtext>",
    "<select>",
    "<li>",
    "</p>",
    "<br>",
    "> ",
    ">\n",
    "http://",
    "a@",
    "<font color=1><p>",
    "<img src=http://a/b>",
    "<p style='color:red'>",
    "<![CDATA[",
    "<body ",
    "\0",
    "<style>a{b:c}",
    "((((",
    "<style>(",
    "<style>a,",
    "<ruby><rt>",
]


@pytest.mark.parametrize("unit", UNITS)
def test_a_megabyte_of_it_is_taken_by_every_function(unit: str) -> None:
    html = unit * (SIZE // len(unit))
    for function in (lambda h: clean_for_reading(h).html, clean_for_sending, html_to_text, text_to_html):
        assert len(function(html)) < 12 * SIZE


def test_formatting_that_would_be_opened_again_in_each_block_is_bounded() -> None:
    html = "".join(f"<b class=c{n}>" for n in range(500)) + "<p>x" * 1_000
    assert bounded(html).count("<b") == MAX_FORMATTING


def test_depth_is_bounded() -> None:
    assert bounded("<div>" * 10_000 + "x").count("<div") == MAX_DEPTH


def test_references_are_bounded() -> None:
    assert bounded("&amp;" * 100_000).count("&") <= MAX_REFERENCES
    assert bounded("&nbsp;" * 100_000) == "\xa0" * 100_000


def test_length_is_bounded() -> None:
    assert len(bounded("x" * 2 * MAX_CHARS)) == MAX_CHARS


def test_a_small_document_is_left_alone() -> None:
    assert bounded("<p>a & b <i>c</p>") == "<p>a & b <i>c</p>"


@given(
    st.lists(
        st.sampled_from(
            ["<p>", "</p>", "<b>", "</b>", "<div class='a>b'>", "</div>", "<br>", "text", "<td>", "&lt;", "<!--x-->"]
        )
    )
)
def test_a_bounded_document_keeps_its_text(pieces: list[str]) -> None:
    html = "".join(pieces)
    big = html + "<br>" * 500
    assert text_of(bounded(big)) == text_of(html)


def text_of(html: str) -> str:
    body = LexborHTMLParser(html).body
    return body.text() if body is not None else ""
