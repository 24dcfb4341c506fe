"""{{姓名}} in the subject and the text of a mail that goes out individually: in each copy the name of its recipient.

What stands for a name is found once for a mail, and a copy is put together from pieces. Only the text that people read is
looked at: no attachments, nothing inside an attached mail, nothing that is signed (RFC 1847). No I/O.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import html
import re
from collections.abc import Iterator

from mailstore.message import header, read
from mailstore.message.binary import labelled
from mailstore.message.body import content
from mailstore.message.seven_bit import UNTOUCHABLE
from mailstore.message.structure import Node, structure
from mailstore.message.write import one_line, unstructured

VARIABLE = re.compile(r"\{\{[ \t]*(?:姓名|name)[ \t]*\}\}")
TEXT_MAX_BYTES = 2 * 1024 * 1024
"""A longer text goes as it is: it is re-encoded for every recipient."""
KEPT_MAX_BYTES = 512 * 1024
"""Of a message whose pieces are remembered from one recipient to the next; larger ones are read again."""
_ASCII = re.compile(rb'(?i)(charset[ \t]*=[ \t]*"?)us-ascii')
_SUBJECT = re.compile(rb"(?im)^subject[ \t]*:[^\n]*+\n?(?:[ \t][^\n]*+\n?)*+")


@dataclasses.dataclass(frozen=True, slots=True)
class _Slot:
    """A text part that names its recipient."""

    block: bytes
    """Its header."""
    text: str
    is_html: bool
    is_last: bool

    def filled(self, name: str) -> bytes:
        text = VARIABLE.sub(lambda _: html.escape(name) if self.is_html else name, self.text)
        body = base64.encodebytes(text.encode()).replace(b"\n", b"\r\n")
        # Within a multipart the last line break is the boundary's.
        return labelled(self.block, b"base64") + (body if self.is_last else body.removesuffix(b"\r\n"))


_Pieces = tuple[bytes | _Slot, ...]


def names_recipients(raw: bytes) -> bool:
    """Whether anything in it is replaced by a name."""
    return len(_pieces_of(raw)) > 1 or _subject(raw) is not None


def merged(raw: bytes, name: str) -> bytes:
    """The mail as somebody of this name gets it; itself when it names nobody. The same each time."""
    name = one_line(name)[:200]
    pieces = _pieces_of(raw)
    if len(pieces) > 1:
        raw = b"".join(each if isinstance(each, bytes) else each.filled(name) for each in pieces)
    found = _subject(raw)
    if found is None:
        return raw
    start, end, subject = found
    field = f"Subject: {unstructured(VARIABLE.sub(lambda _: name, subject), 'Subject')}\r\n"
    return raw[:start] + field.encode() + raw[end:]


def _subject(raw: bytes) -> tuple[int, int, str] | None:
    """Where the field stands, and its text, when that names the recipient."""
    stop, _body = header.block_end(raw, 0, len(raw))
    field = _SUBJECT.search(raw, 0, stop)
    text = read(field[0] + b"\r\n").subject if field else ""
    return (field.start(), field.end(), text) if field and VARIABLE.search(text) else None


def _pieces_of(raw: bytes) -> _Pieces:
    return _kept(raw) if len(raw) <= KEPT_MAX_BYTES else _cut(raw)


@functools.lru_cache(maxsize=16)
def _kept(raw: bytes) -> _Pieces:
    return _cut(raw)


def _cut(raw: bytes) -> _Pieces:
    """What stays and what is filled in, in turn; one piece when all stays."""
    pieces: list[bytes | _Slot] = []
    done = 0
    for node, slot in _texts(raw, structure(raw)):
        pieces += [raw[done : node.header_offset], slot]
        done = node.body_end
    return (*pieces, raw[done:])


def _texts(raw: bytes, node: Node) -> Iterator[tuple[Node, _Slot]]:
    if node.content_type in UNTOUCHABLE:
        return
    for child in node.children:
        yield from _texts(raw, child)
    if node.children or node.content_type not in {"text/plain", "text/html"}:
        return
    if node.charset.lower() not in {"utf-8", "us-ascii"}:
        return
    if node.filename or node.disposition == "attachment" or node.size_bytes > TEXT_MAX_BYTES:
        return
    text = content(raw, node).decode("utf-8", "replace")
    if VARIABLE.search(text):
        block = _ASCII.sub(rb"\1utf-8", raw[node.header_offset : node.body_offset])
        yield node, _Slot(block, text, node.subtype == "html", node.body_end == len(raw))
