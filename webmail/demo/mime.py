"""A letter as the bytes that its sender's program would write: charsets, quotes, pictures, files, threading fields."""

from __future__ import annotations

import email.encoders
import email.generator
import email.utils
import html
import io
import zoneinfo
from email.header import Header
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.policy import compat32

from webmail.demo import files, markup, newsletters
from webmail.demo.pictures import png
from webmail.demo.script import Correspondent, Letter

QUOTED_MAX = 3
"""How deep a quote repeats the thread, as people leave it."""
UNLABELLED = "unlabelled-gbk"
"""Raw GBK in header and body with no word about it, as old programs write."""
LOOK = "font-family:'Microsoft YaHei','PingFang SC',Arial,sans-serif;font-size:14px;line-height:1.7"
POLICY = compat32.clone(linesep="\r\n", max_line_length=None, mangle_from_=False)


def message_of(letter: Letter) -> bytes:
    """CRLF line ends, without a trace: that is the receiving side's."""
    if letter.charset == UNLABELLED:
        return _unlabelled(letter)
    message = _body(letter)
    for name, value in reversed(_headers(letter)):
        message._headers.insert(0, (name, value))  # type: ignore[attr-defined]
    out = io.BytesIO()
    email.generator.BytesGenerator(out, policy=POLICY).flatten(message)
    return out.getvalue()


def _headers(letter: Letter) -> list[tuple[str, str]]:
    found = [
        ("Date", _date(letter)),
        ("From", _address(letter.sender, letter.charset)),
        ("To", ",\n ".join(_address(each, letter.charset) for each in letter.to)),
        ("Cc", ",\n ".join(_address(each, letter.charset) for each in letter.cc)),
        ("Subject", _text(letter.subject, letter.charset)),
        ("Message-ID", f"<{letter.message_id}>"),
        ("In-Reply-To", f"<{letter.references[-1]}>" if letter.references else ""),
        ("References", "\n ".join(f"<{each}>" for each in letter.references)),
        ("X-Priority", "1" if letter.is_urgent else ""),
        ("X-Mailer", letter.sender.program),
        *letter.headers.items(),
        ("MIME-Version", "1.0"),
    ]
    return [(name, value) for name, value in found if value]


def _body(letter: Letter) -> Message:
    body = _text_body(letter)
    if not letter.files:
        return body
    mixed = MIMEMultipart("mixed", _boundary(letter, "m"))
    _drop_version(mixed).attach(_drop_version(body))
    for name in letter.files:
        mixed.attach(_attachment(files.make(name)))
    return mixed


def _text_body(letter: Letter) -> Message:
    plain = _part(_plain(letter), "plain", letter.charset)
    if letter.look == "plain":
        return plain
    alternative = MIMEMultipart("alternative", _boundary(letter, "a"))
    _drop_version(alternative).attach(plain)
    alternative.attach(_html_part(letter))
    return alternative


def _html_part(letter: Letter) -> Message:
    shown = _html(letter)
    names = [name for name in _all_pictures(letter) if f"cid:{name}@" in shown]
    part = _part(shown, "html", letter.charset)
    if not names:
        return part
    related = MIMEMultipart("related", _boundary(letter, "r"))
    _drop_version(related).attach(part)
    for name in names:
        related.attach(_picture(name))
    return related


def _all_pictures(letter: Letter) -> list[str]:
    found = newsletters.pictures(letter.look)
    told: Letter | None = letter
    while told is not None:
        found += markup.pictures(told.text)
        told = told.parent
    return list(dict.fromkeys(found))


def _picture(name: str) -> Message:
    part = _encoded("image/png", png(name))
    part["Content-ID"] = f"<{name}@picture>"
    part.add_header("Content-Disposition", "inline", filename=f"{name}.png")
    return part


def _attachment(file: files.File) -> Message:
    part = _encoded(file.content_type, file.content)
    name = file.name if file.name.isascii() else ("utf-8", "", file.name)  # RFC 2231
    part.add_header("Content-Disposition", "attachment", filename=name)
    return part


def _encoded(content_type: str, content: bytes) -> Message:
    part = MIMEBase(*content_type.split("/"))
    part.set_payload(content)
    email.encoders.encode_base64(part)
    return _drop_version(part)


def _part(text: str, subtype: str, charset: str) -> Message:
    part = Message()
    part["Content-Type"] = f'text/{subtype}; charset="{charset}"'
    payload = text.replace("\n", "\r\n").encode(charset, "xmlcharrefreplace" if subtype == "html" else "replace")
    if charset == "iso-2022-jp":
        part["Content-Transfer-Encoding"] = "7bit"
        part.set_payload(text.encode(charset, "replace").decode("ascii"))
        return part
    part.set_payload(payload)
    if text.isascii():
        email.encoders.encode_quopri(part)
    else:
        email.encoders.encode_base64(part)
    return part


def _plain(letter: Letter) -> str:
    text = newsletters.plain_of(letter.text)
    signature = "" if _is_internal(letter) else _signature(letter.sender)
    return "\n\n".join(part for part in (text, signature, _plain_quote(letter, QUOTED_MAX)) if part) + "\n"


def _plain_quote(letter: Letter, depth: int) -> str:
    parent = letter.parent
    if parent is None or depth == 0:
        return ""
    inner = _plain_quote(parent, depth - 1)
    told = markup.to_plain(parent.text) + (f"\n\n{inner}" if inner else "")
    return _quote_head(letter, parent) + "\n" + "\n".join(f"> {line}".rstrip() for line in told.splitlines())


def _html(letter: Letter) -> str:
    if letter.look in newsletters.DESIGNS:
        return newsletters.html_of(letter.look, letter.subject, letter.text)
    text = markup.to_html(letter.text, _cid)
    signature = "" if _is_internal(letter) else _html_signature(letter.sender)
    return f'<html><body><div style="{LOOK}">{text}{signature}{_html_quote(letter, QUOTED_MAX)}</div></body></html>\n'


def _html_quote(letter: Letter, depth: int) -> str:
    parent = letter.parent
    if parent is None or depth == 0:
        return ""
    told = markup.to_html(parent.text, _cid) + _html_quote(parent, depth - 1)
    head = html.escape(_quote_head(letter, parent))
    return (
        f'<p style="color:#6b7280">{head}</p>'
        f'<blockquote style="margin:0 0 0 8px;padding-left:12px;border-left:2px solid #c9cfdb">{told}</blockquote>'
    )


def _quote_head(letter: Letter, parent: Letter) -> str:
    at = parent.at.astimezone(zoneinfo.ZoneInfo(letter.sender.time_zone))
    who = f"{parent.sender.name} <{parent.sender.address}>"
    if letter.sender.language.startswith("zh"):
        return f"在 {at:%Y-%m-%d %H:%M}，{who} 写道："
    return f"On {at.day} {at:%b %Y at %H:%M}, {who} wrote:"


def _cid(name: str) -> str:
    return f"cid:{name}@picture"


def _is_internal(letter: Letter) -> bool:
    return letter.sender.is_ours and all(each.is_ours for each in (*letter.to, *letter.cc))


def _signature(sender: Correspondent) -> str:
    return f"-- \n{sender.signature}" if sender.signature else ""


def _html_signature(sender: Correspondent) -> str:
    lines = "<br>".join(html.escape(line) for line in sender.signature.splitlines())
    return f'<p style="color:#6b7280;border-top:1px solid #e1e5ec;padding-top:8px">{lines}</p>' if lines else ""


def _unlabelled(letter: Letter) -> bytes:
    fields = [
        ("From", f"{letter.sender.name} <{letter.sender.address}>"),
        ("To", ", ".join(f"{who.name} <{who.address}>" for who in letter.to)),
        ("Cc", ", ".join(f"{who.name} <{who.address}>" for who in letter.cc)),
        ("Subject", letter.subject),
        ("Date", _date(letter)),
        ("Message-ID", f"<{letter.message_id}>"),
        ("In-Reply-To", f"<{letter.references[-1]}>" if letter.references else ""),
    ]
    lines = [f"{name}: {value}" for name, value in fields if value]
    return "\r\n".join([*lines, "", *_plain(letter).splitlines(), ""]).encode("gb18030")


def _address(who: Correspondent, charset: str) -> str:
    name = who.name if who.name.isascii() else _text(who.name, charset)
    quoted = f'"{name}"' if name.isascii() and any(c in name for c in ",.()&") and not name.startswith("=?") else name
    return f"{quoted} <{who.address}>"


def _text(text: str, charset: str) -> str:
    """Encoded words (RFC 2047) in the sender's charset, or in UTF-8 where that can't write it."""
    if text.isascii():
        return text
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        charset = "utf-8"
    return Header(text, charset, maxlinelen=74, header_name="Subject").encode(linesep="\n")


def _date(letter: Letter) -> str:
    return email.utils.format_datetime(letter.at.astimezone(zoneinfo.ZoneInfo(letter.sender.time_zone)))


def _boundary(letter: Letter, kind: str) -> str:
    return f"----={kind}_{letter.message_id[:16]}"


def _drop_version(part: Message) -> Message:
    """Said once, at the top (RFC 2045 4)."""
    del part["MIME-Version"]
    return part
