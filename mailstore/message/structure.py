"""The MIME tree by offsets (RFC 2045, 2046): boundary lines are found, nothing is copied.

Top down: each multipart finds its own boundary lines within the range that its parent gave it, so an outer
boundary always ends what is inside (RFC 2046 5.1.2), and the work is at most depth × size. Both are bounded:
deeper multiparts and further parts are shown as plain files. Nothing raises; a multipart without any part is
read as text, because then people see something.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from mailstore.message import header, parameter
from mailstore.message.parameter import Parameters

MAX_DEPTH = 32
"""Nested multiparts and messages; real mail stays below 10."""
MAX_PARTS = 1_000
MAX_LOOKALIKES = 50_000
"""Lines that begin like a boundary and are none; an attack when there are more."""

COMMON_BYTES = 256
"""Shorter headers of parts are remembered."""

_TOKEN = re.compile(r"^[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+$")
_ENCODINGS = frozenset({"7bit", "8bit", "binary", "base64", "quoted-printable"})
_RARE = frozenset(
    {b"content-disposition", b"content-id", b"content-description", b"content-language", b"content-location"}
)


@dataclass(slots=True)
class Node:
    """One part. Offsets are of the whole message: header, body begin, body end."""

    number: str
    type: str
    subtype: str
    parameters: Parameters
    header_offset: int
    body_offset: int
    body_end: int
    content_id: str = ""
    description: str = ""
    encoding: str = "7bit"
    disposition: str = ""
    disposition_parameters: Parameters = field(default_factory=dict)
    language: str = ""
    location: str = ""
    children: list[Node] = field(default_factory=list)
    message: Node | None = None
    """The message inside a message/rfc822 part."""
    lines: int | None = None
    """Of the encoded body, once they are counted."""
    fields: dict[bytes, bytes] | None = None
    """Kept for the outermost header and those of inner messages: ENVELOPE needs them."""

    @property
    def content_type(self) -> str:
        """type/subtype in lower case."""
        return f"{self.type}/{self.subtype}"

    @property
    def size_bytes(self) -> int:
        """Encoded length of the body."""
        return self.body_end - self.body_offset

    @property
    def charset(self) -> str:
        """The label of the text, as it stands."""
        return self.parameters.get("charset", "") or self.parameters.get("charset*", "").rpartition("'")[2]

    @property
    def filename(self) -> str:
        """The name of the file (RFC 2183 2.3, then the older name=), decoded; empty when it has none."""
        if not self.disposition_parameters and "name" not in self.parameters and "name*" not in self.parameters:
            return ""
        found = parameter.decoded(self.disposition_parameters, "filename")
        return (found or parameter.decoded(self.parameters, "name"))[:255]

    @property
    def is_multipart(self) -> bool:
        """Whether it holds parts."""
        return bool(self.children)

    def walk(self) -> Iterator[Node]:
        """Itself and everything below it, in the order of the message."""
        yield self
        for child in self.children:
            yield from child.walk()
        if self.message is not None:
            yield from self.message.walk()


class _Facts(NamedTuple):
    """What a header says of its part; parts that say the same share one: nothing of it is ever changed."""

    type: str
    subtype: str
    parameters: Parameters
    content_id: str
    description: str
    encoding: str
    disposition: str
    disposition_parameters: Parameters
    language: str
    location: str


class _Builder:
    """One message's bytes and how many parts may still be made of them."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.left = MAX_PARTS
        self.lookalikes = MAX_LOOKALIKES

    def message(self, start: int, end: int, number: str, depth: int) -> Node:
        """A message: its body is part `number`.1 unless it is a multipart (RFC 3501 6.4.5)."""
        _stop, body = header.block_end(self.raw, start, end)
        found = header.first_of(header.fields(self.raw, start, body))
        node = self.node(_facts(found), start, body, end)
        node.fields = found
        self.fill(node, number, depth)
        if not node.children:
            node.number = f"{number}.1" if number else "1"
            self.fill_message(node, depth)
        return node

    def part(self, start: int, end: int, number: str, depth: int, default: str) -> Node:
        """One part of a multipart."""
        length, facts = self.part_header(start, end, default)
        node = self.node(facts, start, start + length, end)
        self.fill(node, number, depth)
        if not node.children:
            self.fill_message(node, depth)
        return node

    def part_header(self, start: int, end: int, default: str) -> tuple[int, _Facts]:
        """How long a part's header is, the empty line included, and what it says."""
        stop = self.raw.find(b"\r\n\r\n", start, min(end, start + COMMON_BYTES))
        known = _common(self.raw[start : stop + 4], default) if stop >= 0 else None
        if known is not None:
            return stop + 4 - start, known
        _stop, body = header.block_end(self.raw, start, end)
        return body - start, _facts(header.first_of(header.fields(self.raw, start, body)), default)

    def node(self, facts: _Facts, start: int, body: int, end: int) -> Node:
        """The part that a header describes, its inside not yet read."""
        self.left -= 1
        kind, subtype, parameters, content_id, description, encoding, disposition, about, language, location = facts
        rest = (content_id, description, encoding, disposition)
        return Node("", kind, subtype, parameters, start, body, end, *rest, about, language, location)

    def fill(self, node: Node, number: str, depth: int) -> None:
        """Find the parts of a multipart, or turn it into a leaf."""
        node.number = number
        if node.type != "multipart":
            return
        boundary = node.parameters.get("boundary", "") or node.parameters.get("boundary*", "").rpartition("'")[2]
        if boundary and depth < MAX_DEPTH and self.left > 0:
            self._fill_parts(node, boundary.rstrip(), depth)
        if not node.children:
            node.type, node.subtype = ("text", "plain") if depth < MAX_DEPTH else ("application", "octet-stream")
            node.parameters = {}

    def _fill_parts(self, node: Node, boundary: str, depth: int) -> None:
        # RFC 2046 5.1.5: parts of a digest are messages unless they say otherwise.
        default = "message/rfc822" if node.subtype == "digest" else ""
        prefix = f"{node.number}." if node.number else ""
        for start, end in self.ranges(boundary, node.body_offset, node.body_end):
            if self.left <= 0:
                break
            child = self.part(start, end, f"{prefix}{len(node.children) + 1}", depth + 1, default)
            node.children.append(child)

    def fill_message(self, node: Node, depth: int) -> None:
        """Read the message inside message/rfc822; an encoded one (forbidden, RFC 2046 5.2.1) stays a file."""
        if node.content_type not in ("message/rfc822", "message/global"):
            return
        if node.encoding in ("base64", "quoted-printable") or depth >= MAX_DEPTH or self.left <= 0:
            return
        node.message = self.message(node.body_offset, node.body_end, node.number, depth + 1)

    def ranges(self, boundary: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Where each part between the boundary lines begins and ends (RFC 2046 5.1.1)."""
        raw, mark = self.raw, b"\n--" + boundary.encode("utf-8", "replace")
        opened = -1
        position = max(0, start - 1)
        while (found := raw.find(mark, position, end)) >= 0:
            after = found + len(mark)
            line_end = raw.find(b"\n", after, end)
            line_end = end if line_end < 0 else line_end
            tail = raw[after : min(line_end, after + 80)].rstrip(b" \t\r")
            position = line_end
            if tail not in (b"", b"--"):
                position = after
                self.lookalikes -= 1
                if self.lookalikes < 0:
                    break
                continue
            if opened >= 0:
                yield opened, _before_break(raw, found, opened)
            opened = min(line_end + 1, end) if not tail else -1
            if tail:
                return
        if opened >= 0:
            yield opened, end


def _before_break(raw: bytes, newline: int, opened: int) -> int:
    """The line break before a boundary belongs to the boundary (RFC 2046 5.1.1)."""
    if newline < opened:
        return opened
    return newline - 1 if newline > opened and raw[newline - 1] == 13 else newline


@functools.lru_cache(maxsize=1024)
def _content_type(value: str) -> tuple[str, str]:
    """RFC 2045 5.2: what can't be read is text/plain."""
    kind, slash, subtype = value.partition("/")
    kind, subtype = kind.strip(), subtype.split()[0] if subtype.strip() else ""
    if slash and len(value) < 130 and _TOKEN.match(kind) and _TOKEN.match(subtype):
        return kind, subtype
    return "text", "plain"


def _facts(found: dict[bytes, bytes], default: str = "") -> _Facts:
    value, parameters = parameter.parse(found.get(b"content-type", b""))
    kind, subtype = _content_type(value or default)
    encoding = _encoding(found[b"content-transfer-encoding"]) if b"content-transfer-encoding" in found else "7bit"
    if not _RARE & found.keys():
        return _Facts(kind, subtype, parameters, "", "", encoding, "", {}, "", "")
    disposition, disposition_parameters = _disposition(found.get(b"content-disposition"))
    return _Facts(
        kind,
        subtype,
        parameters,
        header.text(found.get(b"content-id", b""))[:998],
        header.text(found.get(b"content-description", b""))[:998],
        encoding,
        disposition,
        disposition_parameters,
        header.text(found.get(b"content-language", b""))[:200],
        header.text(found.get(b"content-location", b""))[:998],
    )


@functools.lru_cache(maxsize=1024)
def _common(block: bytes, default: str) -> _Facts | None:
    """What the header of a part says: programs write the same few again and again. None unless all of `block` is it."""
    _stop, body = header.block_end(block, 0, len(block))
    if body < len(block):
        return None
    return _facts(header.first_of(header.fields(block, 0, body)), default)


@functools.lru_cache(maxsize=256)
def _encoding(value: bytes) -> str:
    encoding = header.text(value).strip('" ;').lower().split(";")[0].split(" ")[0]
    # RFC 2045 6.4: an unknown encoding makes the body opaque; x-uuencode stays what it is.
    return encoding[:40] if encoding in _ENCODINGS or _TOKEN.match(encoding[:40]) else "7bit"


def _disposition(value: bytes | None) -> tuple[str, Parameters]:
    if value is None:
        return "", {}
    kind, parameters = parameter.parse(value)
    return (kind if _TOKEN.match(kind[:40]) else "attachment")[:40], parameters


def structure(raw: bytes) -> Node:
    """The tree of a whole message."""
    return _Builder(raw).message(0, len(raw), "", 0)
