"""The content of a part: transfer encoding undone (RFC 2045 6), text decoded. Never raises."""

from __future__ import annotations

import binascii
import re

from mailstore.message import charset, header
from mailstore.message.structure import Node

QUOTED_PRINTABLE_EXACT_BYTES = 1 << 20
"""Up to here the decoded size of a quoted-printable part is counted, above it is the encoded size."""

_META_CHARSET = re.compile(rb"(?i)<meta[^>]{0,200}charset\s*=\s*[\"']?([a-z0-9_-]{1,40})")


def content(raw: bytes, node: Node) -> bytes:
    """The decoded bytes of a leaf."""
    return transfer_decoded(raw[node.body_offset : node.body_end], node.encoding)


def transfer_decoded(data: bytes, encoding: str) -> bytes:
    """Base64 and quoted-printable undone as far as they go; anything else as it is."""
    if encoding == "base64":
        return header.base64_bytes(data.replace(b"\r\n", b"").replace(b"\n", b""))
    if encoding == "quoted-printable":
        return binascii.a2b_qp(data)
    return data


def head(raw: bytes, node: Node, limit: int) -> bytes:
    """The decoded beginning of a leaf, made from its first `limit` encoded bytes."""
    data = raw[node.body_offset : min(node.body_end, node.body_offset + limit)]
    if node.encoding == "base64" and node.body_offset + limit < node.body_end:
        data = data[: data.rfind(b"\n") + 1] or data
    elif node.encoding == "quoted-printable":
        # Don't leave half of =E4 at the end.
        cut = data.rfind(b"=", len(data) - 2)
        data = data[:cut] if cut >= 0 and node.body_offset + limit < node.body_end else data
    return transfer_decoded(data, node.encoding)


def text(raw: bytes, node: Node, limit: int) -> str:
    """A text leaf as text with \\n line ends, at most `limit` encoded bytes of it."""
    truncated = node.size_bytes > limit
    data = head(raw, node, limit) if truncated else content(raw, node)
    decoded = charset.decode(data, node.charset or _label_in(node, data), truncated=truncated)
    return decoded.replace("\r\n", "\n").replace("\r", "\n")


def _label_in(node: Node, data: bytes) -> str:
    """HTML names its charset inside when the header forgot to."""
    match = _META_CHARSET.search(data, 0, 2_048) if node.subtype == "html" else None
    return match[1].decode("ascii") if match else ""


def decoded_size(raw: bytes, node: Node) -> int:
    """How many bytes the decoded content has; base64 is counted, not decoded."""
    start, end = node.body_offset, node.body_end
    if node.encoding == "base64":
        breaks = raw.count(b"\n", start, end) + raw.count(b"\r", start, end)
        padding = raw.count(b"=", max(start, end - 8), end)
        return max(0, (end - start - breaks - padding) * 3 // 4)
    if node.encoding == "quoted-printable" and end - start <= QUOTED_PRINTABLE_EXACT_BYTES:
        return len(binascii.a2b_qp(raw[start:end]))
    return end - start


def line_count(raw: bytes, node: Node) -> int:
    """Lines of the encoded body, as BODYSTRUCTURE counts them (RFC 3501 7.4.2)."""
    if node.lines is None:
        node.lines = raw.count(b"\n", node.body_offset, node.body_end)
    return node.lines
