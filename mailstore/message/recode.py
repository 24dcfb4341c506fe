"""Binary content in a form that mail and IMAP can carry everywhere: parts that hold a NUL become base64 (RFC 3516 4.4, 6).

NUL stands in no literal (RFC 9051 4.3) and in no message without BINARYMIME (RFC 5322 2.1). What is not touched keeps
every byte, so signatures over other parts stay good.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from mailstore.message.structure import Node, structure

IDENTITY = frozenset({"7bit", "8bit", "binary"})
_FIELD = re.compile(rb"(?im)^content-transfer-encoding[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*")
Edit = tuple[int, int, bytes]


def without_nul(raw: bytes) -> bytes | None:
    """The message with binary parts in base64 and their fields to match (RFC 2045 6.2), as it is when it holds no NUL;
    None when one stands where nothing can be encoded: in a header, between parts, in what claims to be encoded."""
    if b"\0" not in raw:
        return raw
    made = bytearray(raw)
    for begin, end, replacement in sorted(_edits(raw, structure(raw)), reverse=True):
        made[begin:end] = replacement
    return None if b"\0" in made else bytes(made)


def _edits(raw: bytes, root: Node) -> Iterator[Edit]:
    for node in root.walk():
        is_holder = node.is_multipart or node.message is not None
        if is_holder and node.encoding == "binary":
            yield _field(raw, node, b"8bit")  # what it holds is binary no longer
        elif not is_holder and node.encoding in IDENTITY and raw.find(b"\0", node.body_offset, node.body_end) >= 0:
            yield _field(raw, node, b"base64")
            encoded = base64.encodebytes(raw[node.body_offset : node.body_end]).replace(b"\n", b"\r\n")
            yield node.body_offset, node.body_end, encoded if node.body_end == len(raw) else encoded[:-2]


def _field(raw: bytes, node: Node, encoding: bytes) -> Edit:
    """Another Content-Transfer-Encoding in a header; the other fields stay as they stand."""
    head = raw[node.header_offset : node.body_offset]
    found = _FIELD.search(head)
    field = b"Content-Transfer-Encoding: " + encoding + b"\r\n"
    if found is not None:
        return node.header_offset + found.start(), node.header_offset + found.end(), field
    blank = 2 if head.endswith(b"\r\n") else 1 if head.endswith(b"\n") else 0
    at = node.body_offset - blank
    return at, at, field
