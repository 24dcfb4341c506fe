"""Laid-out HTML as newsletters and notices of services have it: nested tables, colours, buttons, remote pictures.

The text is the letters' markup; a line `[[text|url]]` is a button. Each design has its colour and its sender's footer.
"""

from __future__ import annotations

import dataclasses
import html
import re
import zlib

from webmail.demo import markup

_BUTTON = re.compile(r"<p>\[\[([^|\]]+)\|([^\]]+)\]\]</p>")


@dataclasses.dataclass(frozen=True, slots=True)
class Design:
    """How one sender's mails look."""

    brand: str
    colour: str
    footer: str
    picture: str = ""
    """Path of a remote picture on the sender's server, which mail programs block at first; or `cid:` and the name of
    one that comes along."""
    tracker: bool = False


DESIGNS = {
    "expo": Design(
        "光影国际照明展",
        "#7a2fd4",
        "主办方：光影会展有限公司 · 您收到此邮件是因为您曾参加往届展会。[退订](https://news.lumenexpo.example.org/unsubscribe)",
        "cid:expo-hall",
        tracker=True,
    ),
    "portal": Design(
        "环球商机网",
        "#e2620e",
        "环球商机网 · 平台服务邮件，请勿直接回复。[通知设置](https://portal.example.net/settings)",
        "portal/banner.png",
        tracker=True,
    ),
    "carrier": Design(
        "Blue Ocean Line",
        "#0b6e99",
        "Blue Ocean Line customer service · [Preferences](https://blueocean.example.net/preferences)",
    ),
    "bank": Design("东海商业银行", "#a3152a", "东海商业银行企业网银 · 本邮件由系统自动发送。"),
    "invoice": Design("税票通", "#1f7a4d", "税票通电子发票服务平台 · 请妥善保管电子发票原件。"),
    "magazine": Design(
        "Lighting Trade Weekly",
        "#20242c",
        "Lighting Trade Weekly, 14 Press Lane · [Unsubscribe](https://weekly.example.org/unsubscribe)",
        "weekly/cover.jpg",
        tracker=True,
    ),
    "travel": Design("远足商旅", "#0f8a8a", "远足商旅 · 24 小时客服 400-000-0000"),
    "shop": Design(
        "Office Depot Ningbo",
        "#c2185b",
        "You receive this because you ordered office supplies. [Unsubscribe](https://shop.example.com/unsubscribe)",
        "",
        tracker=True,
    ),
}

_PAGE = """<!doctype html>
<html><head><meta charset="{charset}"><title>{title}</title>
<style>a {{ color: {colour}; }} h3 {{ margin: 24px 0 8px; }} @media (max-width: 600px) {{ .wide {{ width: 100% !important; }} }}</style></head>
<body style="margin:0;background-color:#f3f4f6">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" bgcolor="#f3f4f6"><tr><td align="center" style="padding:24px 8px">
<table role="presentation" class="wide" width="620" cellpadding="0" cellspacing="0" bgcolor="#ffffff" style="background-color:#ffffff;color:#1f2430;border-radius:8px;font-family:'Microsoft YaHei',Arial,sans-serif;font-size:14px;line-height:1.7">
<tr><td bgcolor="{colour}" style="background-color:{colour};color:#ffffff;padding:20px 32px;font-size:20px;font-weight:bold;border-radius:8px 8px 0 0">{brand}</td></tr>
{picture}<tr><td style="padding:24px 32px"><h2 style="margin:0 0 12px;font-size:20px">{title}</h2>
{text}</td></tr>
<tr><td style="padding:16px 32px;border-top:1px solid #e5e7eb;color:#6b7280;font-size:12px">{footer}</td></tr>
</table></td></tr></table>{tracker}</body></html>
"""
_BUTTON_HTML = (
    r'<p><a href="\2" style="display:inline-block;background-color:COLOUR;color:#ffffff;text-decoration:none;'
    r'padding:10px 24px;border-radius:6px">\1</a></p>'
)


def html_of(look: str, title: str, text: str, *, charset: str = "utf-8") -> str:
    """The page of a design around a letter's text."""
    design = DESIGNS[look]
    body = markup.to_html(text, lambda name: f"cid:{name}@picture")
    body = _BUTTON.sub(_BUTTON_HTML.replace("COLOUR", design.colour), body)
    return _PAGE.format(
        charset=charset,
        title=html.escape(title),
        colour=design.colour,
        brand=html.escape(design.brand),
        picture=_picture(design),
        text=body,
        footer=markup.to_html(design.footer, str),
        tracker=_tracker(design, title),
    )


def plain_of(text: str) -> str:
    """The text alternative, buttons as links."""
    return re.sub(r"\[\[([^|\]]+)\|([^\]]+)\]\]", r"\1: \2", markup.to_plain(text))


def pictures(look: str) -> list[str]:
    """Names of the pictures that come along with a design."""
    design = DESIGNS.get(look)
    return [design.picture.removeprefix("cid:")] if design and design.picture.startswith("cid:") else []


def _picture(design: Design) -> str:
    if not design.picture:
        return ""
    source = f"https://img.example.com/{design.picture}"
    if design.picture.startswith("cid:"):
        source = f"{design.picture}@picture"
    return f'<tr><td><img src="{source}" width="620" alt="{design.brand}" style="display:block;width:100%"></td></tr>\n'


def _tracker(design: Design, title: str) -> str:
    if not design.tracker:
        return ""
    return f'<img src="https://track.example.com/open?m={zlib.crc32(title.encode())}" width="1" height="1" alt="">'
