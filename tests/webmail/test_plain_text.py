"""Plain text in the reading pane."""

from __future__ import annotations

from hypothesis import given, strategies as st

from webmail.plain_text import blocks


def test_a_long_quote_folds_and_a_short_one_does_not() -> None:
    found = blocks("Hello\n> one\n> two\n> three\nBye\n> short\n")
    assert [(each.is_quoted, each.folds) for each in found] == [
        (False, False),
        (True, True),
        (False, False),
        (True, False),
    ]


def test_a_quote_loses_its_first_mark_and_keeps_the_deeper_ones() -> None:
    (quote,) = blocks("> outer\n>> inner\n> outer")
    assert "&gt;" not in quote.html
    assert quote.html.count("<blockquote") == 1


def test_text_is_escaped_and_addresses_become_links() -> None:
    (block,) = blocks('<script>alert(1)</script> https://a.example/?q="x" 请见 www.b.example。 c@d.example')
    assert "<script" not in block.html
    assert 'href="https://a.example/?q=' in block.html
    assert 'href="http://www.b.example"' in block.html
    assert 'href="mailto:c@d.example"' in block.html


@given(st.text(alphabet="> ab<&\n\r\"'@:/.", max_size=400))
def test_no_text_makes_a_tag_of_its_own(text: str) -> None:
    joined = "".join(each.html for each in blocks(text))
    rest = (
        joined.replace('<div class="plain-text">', "")
        .replace("</div>", "")
        .replace("<br>", "")
        .replace("</blockquote>", "")
    )
    for piece in rest.split("<")[1:]:
        assert piece.startswith(("blockquote class=", "a href=", "/a>"))
