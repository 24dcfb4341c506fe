"""HTML to text and back."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from documents.html.text import html_to_text, text_to_html

AS_TEXT = [
    ("<p>one</p><p>two</p>", "one\n\ntwo"),
    ("one<br>two<br><br>three", "one\ntwo\n\nthree"),
    ("<div>one</div><div>two</div>", "one\ntwo"),
    ("<p>a  b\n c</p>", "a b c"),
    ("<ul><li>one<li>two</ul>", "- one\n- two"),
    ("<table><tr><td>a<td>b<tr><td>c</table>", "a\tb\nc"),
    ('<a href="https://x.test/a">here</a>', "here <https://x.test/a>"),
    ('<a href="https://x.test/">https://x.test</a>', "https://x.test"),
    ('<a href="mailto:a@x.test">a@x.test</a>', "a@x.test"),
    ("<blockquote>one<blockquote>two</blockquote></blockquote>end", "> one\n>\n> > two\n\nend"),
    ("<pre>a\n  b</pre>", "a\n  b"),
    ("<style>x</style><script>y</script><title>z</title>text", "text"),
    ('<img alt="Logo"><img src=x>', "[Logo]"),
    ("a&nbsp;&lt;b&gt;", "a <b>"),
    ("你好<br>谢谢", "你好\n谢谢"),
    ("", ""),
]


@pytest.mark.parametrize(("html", "text"), AS_TEXT)
def test_html_is_read_as_text(html: str, text: str) -> None:
    assert html_to_text(html) == text


AS_HTML = [
    ('a <b> & "c"', "a &lt;b&gt; &amp; &quot;c&quot;"),
    ("one\ntwo", "one<br>\ntwo"),
    (
        "> a\n> > b\nc",
        '<blockquote class="quote quote-1">a<blockquote class="quote quote-2">b</blockquote></blockquote>c',
    ),
    ("javascript:alert(1)", "javascript:alert(1)"),
]


@pytest.mark.parametrize(("text", "html"), AS_HTML)
def test_text_is_written_as_html(text: str, html: str) -> None:
    assert text_to_html(text) == f'<div class="plain-text">{html}</div>'


LINKS = [
    ("see http://x.test/a?b=1&c=2.", "http://x.test/a?b=1&amp;c=2"),
    ("(https://x.test/a_(b))", "https://x.test/a_(b)"),
    ("网址：https://x.test/路径，请看", "https://x.test/路径"),
    ("www.x.test!", "http://www.x.test"),
    ("write to a.b+c@x.test.", "mailto:a.b+c@x.test"),
    ('http://x.test/"onmouseover="alert(1)', "http://x.test/"),
]


@pytest.mark.parametrize(("text", "href"), LINKS)
def test_addresses_in_text_are_links(text: str, href: str) -> None:
    assert f'<a href="{href}" target="_blank" rel="noopener noreferrer nofollow">' in text_to_html(text)


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=200))
def test_text_survives_the_way_there_and_back(text: str) -> None:
    shown = html_to_text(text_to_html(text)).replace(" ", "").replace("\n", "")
    assert shown.replace(">", "") == text.replace(">", "") or "." in text or "@" in text
