"""What of HTML may be in a mail: tags, attributes, address schemes. Shared by reading and sending."""

from __future__ import annotations

import re

TAGS = frozenset(
    [
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
    ]
)
# Their text is code or belongs elsewhere; without these tags it would show as text.
CONTENT_DROPPED = frozenset(
    [
        "script",
        "style",
        "title",
        "head",
        "noscript",
        "template",
        "textarea",
        "select",
        "option",
        "xmp",
        "iframe",
        "noembed",
        "noframes",
        "plaintext",
        "object",
        "applet",
        "embed",
        "svg",
        "math",
        "audio",
        "video",
        "canvas",
        "button",
        "frameset",
    ]
)

_COMMON = {"style", "class", "id", "dir", "lang", "title", "align", "valign", "width", "height", "bgcolor", "color"}
ATTRIBUTES: dict[str, set[str]] = {
    "*": _COMMON,
    "a": {"href", "name", "target"},
    "area": {"href", "shape", "coords", "alt"},
    "blockquote": {"type"},
    "col": {"span"},
    "colgroup": {"span"},
    "details": {"open"},
    "font": {"size", "face"},
    "hr": {"size", "noshade"},
    "img": {"src", "alt", "border", "hspace", "vspace", "usemap"},
    "map": {"name"},
    "ol": {"start", "type", "reversed"},
    "li": {"value", "type"},
    "ul": {"type"},
    "table": {"border", "cellpadding", "cellspacing", "background", "rules", "frame", "summary"},
    "td": {"colspan", "rowspan", "nowrap", "background", "headers", "scope"},
    "th": {"colspan", "rowspan", "nowrap", "background", "headers", "scope"},
    "tr": {"background"},
    "time": {"datetime"},
}
SCHEMES = frozenset({"http", "https", "mailto", "tel", "cid", "data", "ftp", "sms", "xmpp", "webcal"})
LINK_SCHEMES = ("http://", "https://", "mailto:", "tel:", "ftp://", "sms:", "webcal:", "#")

MAX_URL_CHARS = 8_000
MAX_DATA_CHARS = 700_000
"""An inline picture of 500 KB."""
_DATA_IMAGE = re.compile(r"data:image/(?:png|jpeg|jpg|gif|webp|bmp|x-icon);base64,[A-Za-z0-9+/=\s%]*", re.IGNORECASE)
# WHATWG URL 4.4: browsers take these out of an address before they read its scheme.
_INVISIBLE = re.compile("[\x00-\x20\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]")


def plain_url(url: str) -> str:
    """The address as a browser would read its scheme: controls taken out at the ends and inside the scheme."""
    url = url.strip("".join(map(chr, range(33))))
    return re.sub(r"[\t\r\n]", "", url)


def link_target(url: str) -> str | None:
    """The href to keep, or None for one that runs, loads or leads nowhere."""
    clean = plain_url(url)
    if len(clean) > MAX_URL_CHARS:
        return None
    if _INVISIBLE.sub("", clean[:40]).lower().startswith(LINK_SCHEMES):
        return clean
    # "www.example.com/a" without a scheme is common in mail and would lead into our own site.
    if re.match(r"(?i)www\.[\w.-]+", clean):
        return f"https://{clean}"
    return f"https:{clean}" if clean.startswith("//") else None


def is_data_image(url: str) -> bool:
    """Whether it is a small inline picture of a type that is only pixels (SVG is not)."""
    return len(url) <= MAX_DATA_CHARS and bool(_DATA_IMAGE.fullmatch(url))
