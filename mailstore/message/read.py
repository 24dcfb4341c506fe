"""What the reading pane shows of a message. Slower than `scan` and complete: every header, every attachment."""

from __future__ import annotations

import html as html_module
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import unquote

from mailstore.message import body, header, recipient
from mailstore.message.address import Address
from mailstore.message.date import date_at
from mailstore.message.part import part_name
from mailstore.message.scan import Attribute, attributes, content_id, message_id, references
from mailstore.message.structure import Node, structure

MAX_TEXT_BYTES = 4 << 20
"""Text beyond this is not shown; the message can still be downloaded."""
MAX_HEADER_CHARS = 10_000
MAX_HEADERS = 500
MAX_PEOPLE = 1_000

_CID = re.compile(r"""(?i)\bcid:([^"'\s<>)]{1,250})""")


@dataclass(frozen=True, slots=True)
class Part:
    """An attachment, or a picture of the HTML (`inline`, found by its `content_id`)."""

    number: str
    filename: str
    content_type: str
    size_bytes: int
    """Decoded."""
    content_id: str
    inline: bool


@dataclass(frozen=True, slots=True)
class Readable:
    """A message as people read it. HTML is as the sender wrote it: clean it before it is shown."""

    subject: str
    from_: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    date: datetime | None
    message_id: str | None
    references: tuple[str, ...]
    """Without brackets, oldest first; In-Reply-To included."""
    html: str | None
    text: str | None
    attachments: tuple[Part, ...]
    headers: list[tuple[str, str]]
    high_priority: bool
    receipt_to: tuple[Address, ...]
    """Who asks for a read receipt (RFC 8098 2.1)."""
    authentication_results: tuple[str, ...]
    """Every Authentication-Results field (RFC 8601); only those of our own trace may be believed."""
    sender: tuple[Address, ...] = ()
    is_truncated: bool = False
    """Text was longer than `MAX_TEXT_BYTES`."""
    list_unsubscribe: str = ""
    attributes: int = 0
    """Bits of `Attribute`."""

    @property
    def priority(self) -> str:
        """ "high" or "normal"."""
        return "high" if self.high_priority else "normal"


@dataclass(slots=True)
class _Contents:
    """What the walk through the tree collects."""

    raw: bytes
    pieces: list[tuple[str, str]] = field(default_factory=list)
    """("html" | "text", content) in the order of the message."""
    plain: list[str] = field(default_factory=list)
    """The text form of every piece that has one."""
    attachments: list[Part] = field(default_factory=list)
    left: int = MAX_TEXT_BYTES
    is_truncated: bool = False


def read(raw: bytes) -> Readable:
    """Everything to show of `raw`. Takes any bytes, never raises; bounded in time and memory."""
    root = structure(raw)
    fields = root.fields or {}
    contents = _Contents(raw)
    _collect(contents, root)
    html, text = _texts(contents)
    all_headers = _headers(raw, root)
    bits = attributes(root, fields)
    return Readable(
        subject=header.decoded(fields.get(b"subject", b"")),
        from_=_people(fields, b"from"),
        to=_people(fields, b"to"),
        cc=_people(fields, b"cc"),
        bcc=_people(fields, b"bcc"),
        reply_to=_people(fields, b"reply-to"),
        date=date_at(fields.get(b"date")),
        message_id=message_id(fields),
        references=references(fields),
        html=html,
        text=text,
        attachments=_placed(contents.attachments, html),
        headers=all_headers,
        high_priority=bool(bits & Attribute.HIGH_PRIORITY),
        receipt_to=_people(fields, b"disposition-notification-to"),
        authentication_results=tuple(v for n, v in all_headers if n.lower() == "authentication-results"),
        sender=_people(fields, b"sender"),
        is_truncated=contents.is_truncated,
        list_unsubscribe=header.decoded(fields.get(b"list-unsubscribe", b""))[:2_000],
        attributes=bits,
    )


def _people(fields: dict[bytes, bytes], name: bytes) -> tuple[Address, ...]:
    found = recipient.people(fields.get(name))[:MAX_PEOPLE]
    return tuple(Address(m.display, header.decode_words(m.address)) for m in found)


def _headers(raw: bytes, root: Node) -> list[tuple[str, str]]:
    found = header.fields(raw, root.header_offset, root.body_offset)[:MAX_HEADERS]
    return [(name.decode("ascii"), header.decoded(value)[:MAX_HEADER_CHARS]) for name, value in found]


def _collect(contents: _Contents, node: Node) -> None:
    """Sort one part into the text or the attachments."""
    if node.children and node.subtype == "alternative":
        _collect_alternative(contents, node)
    elif node.children:
        for child in _root_first(node):
            _collect(contents, child)
    elif _is_text(node):
        _collect_text(contents, node)
    else:
        contents.attachments.append(_part(contents.raw, node))


def _root_first(node: Node) -> list[Node]:
    """RFC 2387 3.2: the root of multipart/related may be named by `start`; it is read first."""
    start = node.parameters.get("start", "").strip("<> ")
    if node.subtype != "related" or not start:
        return node.children
    return sorted(node.children, key=lambda child: content_id(child) != start)


def _is_text(node: Node) -> bool:
    """Whether it belongs to what is read: text that is not offered as a file."""
    if node.type != "text" or node.disposition == "attachment":
        return False
    if node.subtype not in ("plain", "html", "enriched", "richtext", "x-markdown", "markdown"):
        return False
    return not node.filename or (node.disposition == "inline" and node.subtype == "plain")


def _collect_alternative(contents: _Contents, node: Node) -> None:
    """RFC 2046 5.1.4: the last form is the best; HTML and text are both kept, other forms become attachments."""
    choices = [(child, _form(child)) for child in node.children]
    best = next((child for child, form in reversed(choices) if form == "html"), None)
    plain = next((child for child, form in choices if form == "plain"), None)
    if plain is not None and best is not None and plain is not best:
        _collect_plain_form(contents, plain)
    for child, form in choices:
        if child is best or (best is None and child is plain) or not form:
            _collect(contents, child)


def _form(node: Node) -> str:
    """Which form of the text a part of multipart/alternative is: "html" if any HTML is in it, "plain" or none."""
    leaves = [leaf for leaf in _leaves(node) if _is_text(leaf)]
    if any(leaf.subtype == "html" for leaf in leaves):
        return "html"
    return "plain" if leaves else ""


def _leaves(node: Node) -> Iterator[Node]:
    if not node.children:
        yield node
    for child in node.children:
        yield from _leaves(child)


def _collect_plain_form(contents: _Contents, node: Node) -> None:
    """The text form beside an HTML one: shown to who prefers text, never joined with the HTML."""
    for leaf in _leaves(node):
        if _is_text(leaf):
            contents.plain.append(_text_of(contents, leaf))
        else:
            contents.attachments.append(_part(contents.raw, leaf))


def _collect_text(contents: _Contents, node: Node) -> None:
    text = _text_of(contents, node)
    is_html = node.subtype == "html"
    contents.pieces.append(("html" if is_html else "text", text))
    if not is_html:
        contents.plain.append(text)


def _text_of(contents: _Contents, node: Node) -> str:
    limit = contents.left
    contents.is_truncated |= node.size_bytes > limit
    text = body.text(contents.raw, node, limit) if limit > 0 else ""
    contents.left = max(0, limit - node.size_bytes)
    return text


def _texts(contents: _Contents) -> tuple[str | None, str | None]:
    """The HTML and the text of the whole; pieces of both kinds are shown together as HTML."""
    plain = "\n".join(contents.plain) if any(t.strip() for t in contents.plain) else None
    if any(kind == "html" and piece.strip() for kind, piece in contents.pieces):
        html = "\n".join(piece if kind == "html" else _as_html(piece) for kind, piece in contents.pieces)
        return html, plain
    if not any(contents.plain) and not contents.attachments:
        # Nothing else can be shown of it: what is there, as it is.
        return None, body.text(contents.raw, _whole(contents.raw), MAX_TEXT_BYTES) if contents.raw else ""
    return None, plain if plain is not None or contents.attachments else "\n".join(contents.plain)


def _whole(raw: bytes) -> Node:
    """The body as one text without encoding; the header too when there is nothing behind it."""
    root = structure(raw)
    start = root.body_offset if raw[root.body_offset :].strip() or root.fields else 0
    return Node("1", "text", "plain", {}, start, start, len(raw))


def _as_html(text: str) -> str:
    return f"<div>{html_module.escape(text.strip()).replace(chr(10), '<br>')}</div>" if text.strip() else ""


def _part(raw: bytes, node: Node) -> Part:
    size = body.decoded_size(raw, node)
    return Part(node.number, part_name(raw, node), node.content_type, size, content_id(node), False)


def _placed(parts: list[Part], html: str | None) -> tuple[Part, ...]:
    """The parts; those that the HTML refers to by cid: (RFC 2392) are inline, whatever their disposition says."""
    used = {unquote(match[1]) for match in _CID.finditer(html or "")}
    return tuple(replace(part, inline=True) if part.content_id in used else part for part in parts)
