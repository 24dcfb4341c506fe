"""The letters' markup."""

from __future__ import annotations

import pytest

from webmail.demo.markup import pictures, to_html, to_plain


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("a < b & **c**", "<p>a &lt; b &amp; <b>c</b></p>"),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("# Head", "<h3>Head</h3>"),
        ("[x](https://a.example.com/)", '<p><a href="https://a.example.com/">x</a></p>'),
        ("[x](javascript:y)", "<p>[x](javascript:y)</p>"),
    ],
)
def test_markup_becomes_html(text: str, html: str) -> None:
    assert to_html(text, str) == html


def test_a_table_has_a_head_and_numbers_stand_right() -> None:
    html = to_html("| Item | Qty |\n| Lamp | 1,200 |", str)
    assert html.count("<th") == 2
    assert "text-align:right" in html.partition("1,200")[0].rpartition("<td")[2]


def test_a_picture_is_shown_from_the_given_address() -> None:
    assert 'src="cid:lamp"' in to_html("![lamp]", lambda name: f"cid:{name}")
    assert pictures("![a]\n\n![b]\n\n![a]") == ["a", "b"]


def test_plain_text_has_no_marks_left() -> None:
    text = to_plain("# Head\n**bold** [x](https://a.example.com/)\n![lamp]\n| a | b |")
    assert text == "Head\nbold x <https://a.example.com/>\na  b"
