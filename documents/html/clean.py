"""HTML of received mail made safe to show in the reading frame.

bounded → style sheets taken out and rewritten → nh3 with checked attributes → pictures. The sandbox and the CSP
of the frame stand behind this; nothing here relies on them. Remote pictures are not loaded unless the caller gives
`image_url`; pictures of the mail itself (cid:) come from `part_url`.
"""

from __future__ import annotations

import html as html_module
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import nh3

from documents.html import allowed
from documents.html.bound import MAX_CHARS, bounded
from documents.html.css import clean_sheet, clean_style

SCOPE_CLASS = "mail-body"
MAX_LINKS = 2_000

PartUrl = Callable[[str], str | None]
ImageUrl = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class CleanHtml:
    """HTML that is safe to show, in one `<div class="mail-body">`, with its style sheet in front."""

    html: str
    blocked_images: int
    """Remote pictures that were not loaded, trackers not counted. Their place says `data-blocked`."""
    trackers: int
    """Pictures that exist to report that the mail was opened; never loaded."""
    links: tuple[str, ...]
    """Every different address that a link leads to, in order."""
    is_cut: bool = False
    """The HTML was longer than is shown."""


@dataclass(slots=True)
class _Pictures:
    """How pictures are treated in one mail, and what was met."""

    part_url: PartUrl
    image_url: ImageUrl | None
    blocked: int = 0
    trackers: int = 0
    links: dict[str, None] = field(default_factory=dict)


def clean_for_reading(
    html: str, *, part_url: PartUrl = lambda _cid: None, image_url: ImageUrl | None = None
) -> CleanHtml:
    """Clean `html` for the reading frame. Never raises; bounded by the limits of `bound` and `css`.

    `part_url` gives the address of a part by its Content-ID (None: there is none). `image_url` gives the address of
    a proxy for a remote picture; without it remote pictures are taken out.
    """
    is_cut = len(html) > MAX_CHARS
    small = bounded(html)
    pictures = _Pictures(part_url, image_url)
    body = clean_fragment(small, link_rel="noopener noreferrer nofollow", attribute_filter=_reading_filter(pictures))
    body = _IMG.sub(lambda match: _picture(pictures, match), body)
    sheet = clean_sheet(style_sheets(html[:MAX_CHARS]), scope=f".{SCOPE_CLASS}")
    head = f"<style>\n{sheet}\n</style>\n" if sheet else ""
    wrapped = f'{head}<div class="{SCOPE_CLASS}"{_body_style(small)}>{body}</div>'
    return CleanHtml(wrapped, pictures.blocked, pictures.trackers, tuple(pictures.links), is_cut)


def clean_fragment(html: str, *, link_rel: str | None, attribute_filter: Callable[[str, str, str], str | None]) -> str:
    """nh3 with the tags, attributes and schemes of mail."""
    return nh3.clean(
        html,
        tags=set(allowed.TAGS),
        clean_content_tags=set(allowed.CONTENT_DROPPED),
        attributes={tag: set(names) for tag, names in allowed.ATTRIBUTES.items()},
        attribute_filter=attribute_filter,
        url_schemes=set(allowed.SCHEMES),
        link_rel=link_rel,
        strip_comments=True,
        set_tag_attribute_values={"a": {"target": "_blank"}, "area": {"target": "_blank"}} if link_rel else {},
    )


_STYLE = re.compile(r"(?is)<style\b[^>]{0,1000}>(.*?)(?:</style|\Z)")
_COMMENT_MARKS = re.compile(r"<!--|-->|<!\[CDATA\[|\]\]>")
MAX_SHEETS = 50


def style_sheets(html: str) -> str:
    """The text of all style elements together. What is read here is rewritten token by token, never copied."""
    found = []
    for match in _STYLE.finditer(html):
        found.append(_COMMENT_MARKS.sub(" ", match[1]))
        if len(found) >= MAX_SHEETS:
            break
    return "\n".join(found)


def _reading_filter(pictures: _Pictures) -> Callable[[str, str, str], str | None]:
    def keep(tag: str, name: str, value: str) -> str | None:
        if name == "style":
            return clean_style(value) or None
        if name == "href":
            target = allowed.link_target(value)
            if target and len(pictures.links) < MAX_LINKS and not target.startswith("#"):
                pictures.links[target] = None
            return target
        if name == "background":
            return _address(pictures, value)
        if name == "class" and SCOPE_CLASS in value.split():
            return None
        return value[: allowed.MAX_DATA_CHARS if name == "src" else 2_000]

    return keep


def _address(pictures: _Pictures, url: str) -> str | None:
    """Where a picture comes from, or None when it is not shown."""
    url = allowed.plain_url(html_module.unescape(url) if "&" in url[:10] else url)
    lower = url[:12].lower()
    if lower.startswith("cid:"):
        return pictures.part_url(unquote(url[4:]).strip("<> "))
    if lower.startswith("data:"):
        return url if allowed.is_data_image(url) else None
    if not lower.startswith(("http://", "https://", "//")) or len(url) > allowed.MAX_URL_CHARS:
        return None
    if pictures.image_url is None:
        pictures.blocked += 1
        return None
    return pictures.image_url(f"https:{url}" if lower.startswith("//") else url)


# nh3 writes attributes as name="value" with quotes escaped, so this finds each whole.
_IMG = re.compile(r'<img((?:\s+[\w:-]+="[^"]*")*+)\s*/?>')
_ATTRIBUTE = re.compile(r'([\w:-]+)="([^"]*)"')


def _picture(pictures: _Pictures, match: re.Match[str]) -> str:
    attributes = {name: html_module.unescape(value) for name, value in _ATTRIBUTE.findall(match[1])}
    source = attributes.pop("src", "")
    is_remote = allowed.plain_url(source)[:8].lower().startswith(("http:", "https:", "//"))
    if is_remote and is_tracker(source, attributes):
        pictures.trackers += 1
        return ""
    shown = _address(pictures, source)
    if shown is None and not is_remote and not attributes.get("alt"):
        return ""
    if shown is not None:
        attributes = {"src": shown, **attributes}
    elif is_remote:
        attributes["data-blocked"] = "1"
    written = "".join(f' {name}="{html_module.escape(value)}"' for name, value in attributes.items())
    return f"<img{written}>"


_TINY = re.compile(r"^\s*[01](?:\.\d+)?\s*(?:px)?\s*$", re.IGNORECASE)
_TINY_STYLE = re.compile(r"(?i)(?:^|;)\s*(?:max-)?(?:width|height)\s*:\s*[01](?:px)?\s*(?:!important)?\s*(?=;|$)")
_HIDDEN_STYLE = re.compile(r"(?i)display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?![.\d])")
_TRACKER_PATH = re.compile(
    r"(?i)/(?:track(?:ing)?|open(?:s|ed)?|pixel|beacon|wf/open|e/o|ss/o|o)(?:[/.?]|$)|[/._-](?:pixel|spacer|blank|1x1|track)\.(?:gif|png)"
)
_TRACKER_HOSTS = (
    "google-analytics.com",
    "list-manage.com/track",
    "mailtrack.io",
    "mandrillapp.com/track",
    "sendgrid.net/wf/open",
    "mailgun.org",
    "pixel.app.returnpath.net",
    "emltrk.com",
    "cnzz.com",
    "hm.baidu.com",
)


def is_tracker(url: str, attributes: dict[str, str]) -> bool:
    """Whether a remote picture is there to be loaded, not to be seen: one pixel, hidden, or a known address."""
    style = attributes.get("style", "")
    sizes = [attributes[name] for name in ("width", "height") if name in attributes]
    if sizes and all(_TINY.match(size) for size in sizes):
        return True
    if len(_TINY_STYLE.findall(style)) >= 2 or _HIDDEN_STYLE.search(style):
        return True
    try:
        parts = urlsplit(url[:2_000])
        place = f"{parts.hostname or ''}{parts.path}"
    except ValueError:
        return True
    if any(host in place for host in _TRACKER_HOSTS):
        return True
    return not sizes and not attributes.get("alt") and bool(_TRACKER_PATH.search(parts.path))


_BODY = re.compile(r"(?is)<body\b((?:[^>\"']|\"[^\"]*+\"|'[^']*+')*+)>")
_BODY_ATTRIBUTE = re.compile(r"(?is)\b(style|bgcolor|text|dir)\s*=\s*(\"[^\"]*+\"|'[^']*+'|[^\s>]+)")
_COLOUR = re.compile(r"#?[A-Za-z0-9]{1,20}")


def _body_style(html: str) -> str:
    """What <body> says of colours and direction, for the element that stands in its place."""
    match = _BODY.search(html)
    if not match:
        return ""
    found = {n.lower(): html_module.unescape(v.strip("\"'")) for n, v in _BODY_ATTRIBUTE.findall(match[1][:10_000])}
    colours = {"bgcolor": "background-color", "text": "color"}
    styles = [f"{colours[n]}: {found[n]}" for n in colours if _COLOUR.fullmatch(found.get(n, ""))]
    style = clean_style("; ".join([*styles, found.get("style", "")]))
    direction = ' dir="rtl"' if found.get("dir", "").lower() == "rtl" else ""
    return (f' style="{html_module.escape(style)}"' if style else "") + direction
