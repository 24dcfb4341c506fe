"""What stands in a mail, as the rules look at it: text, links, files. Made from the scan that delivery has done anyway,
and bounded: a megabyte of HTML costs what 48 KB cost."""

from __future__ import annotations

import dataclasses
import html as html_module
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from mailstore.message import Scanned
from mailstore.message.body import text as text_of, transfer_decoded
from mailstore.message.structure import Node

TEXT_BYTES = 16 * 1024
HTML_BYTES = 48 * 1024
TEXT_CHARS = 6_000
LINKS_MAX = 100
FILES_MAX = 50
WHOLE_FILE_BYTES = 2 << 20
"""Archives up to this size (as sent) are looked into; of larger ones the beginning."""
HEAD_BYTES = 12 * 1024

_HIDDEN = re.compile(r"(?is)<(style|script|head|title)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)")
_TAG = re.compile(r"<[^>]*(?:>|\Z)")
# What begins with a letter is looked for ten times as fast as what begins with one in either case.
_ANCHOR = re.compile(r"(?s)<[aA]\b([^>]{0,2000})>(.{0,600}?)</[aA]\s*>")
_HREF = re.compile(r"""(?i)\bhref\s*=\s*(?:"([^"]{1,2000})"|'([^']{1,2000})'|([^\s"'>]{1,2000}))""")
_URL = re.compile(r"https?://[^\s<>\"'\u3000-\u303f\uff00-\uffef]{2,1000}")
_PICTURE = re.compile(r"<[iI][mM][gG]\b")


@dataclasses.dataclass(frozen=True, slots=True)
class Link:
    """A link: where it leads, and what people see of it ('' in plain text)."""

    target: str
    shown: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Attached:
    """A file: its name, its claimed type, its first decoded bytes or all of them (`is_whole`)."""

    name: str
    content_type: str
    data: bytes
    is_whole: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Contents:
    """`text` is what would be read; `pictures` counts those of the HTML."""

    subject: str
    text: str
    links: tuple[Link, ...]
    files: tuple[Attached, ...]
    pictures: int
    is_html_only: bool


def contents_of(raw: bytes, scanned: Scanned, *, shift: int = 0) -> Contents:
    """`raw` are the bytes that `scanned` speaks of, without the first `shift` of them. Never raises for what they hold."""
    nodes = [_leaf(row, shift) for row in json.loads(scanned.parts)]
    plain, marked = _body(nodes, "plain"), _body(nodes, "html")
    text = text_of(raw, plain, TEXT_BYTES) if plain is not None else ""
    html = text_of(raw, marked, HTML_BYTES) if marked is not None else ""
    links = [*_anchors(html), *(Link(match[0]) for match in _URL.finditer(text))]
    is_html_only = not text.strip() and bool(html)
    return Contents(
        subject=scanned.subject,
        text=(_words_of(html) if is_html_only else text)[:TEXT_CHARS],
        links=tuple(links[:LINKS_MAX]),
        files=tuple(_file(raw, node) for node in [each for each in nodes if _is_file(each)][:FILES_MAX]),
        pictures=len(_PICTURE.findall(html)),
        is_html_only=is_html_only,
    )


class _Leaf(Node):
    """A leaf as `mailstore.message.scan` stored it: its file name is decoded already."""

    @property
    def filename(self) -> str:
        """As stored."""
        return self.parameters.get("filename", "")


def _leaf(row: list[Any], shift: int) -> _Leaf:
    number, kind, subtype, charset, encoding, filename, _, disposition, header_offset, begin, end, _ = row
    parameters = {"charset": charset, "filename": filename}
    offsets = (header_offset - shift, begin - shift, end - shift)
    return _Leaf(number, kind, subtype, parameters, *offsets, encoding=encoding, disposition=disposition)


def _body(nodes: Sequence[Node], subtype: str) -> Node | None:
    """The first text of this kind that is no attachment."""
    for node in nodes:
        if node.type == "text" and node.subtype == subtype and node.disposition != "attachment" and not node.filename:
            return node
    return None


def _is_file(node: Node) -> bool:
    return bool(node.filename) or node.disposition == "attachment" or node.type in ("application", "image", "message")


def _file(raw: bytes, node: Node) -> Attached:
    size = node.body_end - node.body_offset
    is_whole = size <= WHOLE_FILE_BYTES and not node.type.startswith(("image", "audio", "video"))
    data = raw[node.body_offset : node.body_end if is_whole else node.body_offset + HEAD_BYTES]
    head = transfer_decoded(data[:400], node.encoding)
    if is_whole and not head.startswith(_LOOKED_INTO):
        return Attached(node.filename, node.content_type, head, is_whole=False)
    return Attached(node.filename, node.content_type, transfer_decoded(data, node.encoding), is_whole)


_LOOKED_INTO = (b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0")
"""Zip (also OOXML) and OLE: what has names or macros inside."""


def _anchors(html: str) -> Iterator[Link]:
    for found, match in enumerate(_ANCHOR.finditer(html)):
        if found >= LINKS_MAX:
            return
        href = _HREF.search(match[1])
        if href is None:
            continue
        target = html_module.unescape(next(filter(None, href.groups()))).strip()
        if target[:7].lower() in ("http://", "https:/"):
            yield Link(target, " ".join(html_module.unescape(_TAG.sub(" ", match[2])).split())[:300])


def _words_of(html: str) -> str:
    return " ".join(html_module.unescape(_TAG.sub(" ", _HIDDEN.sub(" ", html)))[: 4 * TEXT_CHARS].split())
