"""Messages with binary parts (RFC 3030 3, RFC 3516 4.4) made into messages of lines, as the store and every other server keep them.

What a part holds stays, its transfer encoding becomes base64. A container (multipart, message) can't be encoded (RFC 2045
6.4) and is called 8bit: what it holds has been looked at by itself. Never raises; what lies too deep to be found stays as it
is.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

from mailstore.message.structure import Node, structure

IDENTITY = frozenset({"7bit", "8bit", "binary"})
"""What is no encoding, only a promise (RFC 2045 6.2)."""
_FIELD = re.compile(rb"(?im)^content-transfer-encoding[ \t]*:[^\n]*+\n?(?:[ \t][^\n]*+\n?)*+")
CONTAINER = re.compile(rb"(?im)^content-type[ \t]*:\s*(?:multipart|message)/")
"""In a header: what holds parts and may not be encoded."""


def without_binary(raw: bytes) -> bytes:
    """The same message with no part in binary."""
    return _recoded(raw, lambda node: node.encoding == "binary")


def without_nul(raw: bytes) -> bytes | None:
    """The message with every part that holds a NUL in base64 (RFC 3516 4.4, 6: IMAP's base protocol has no word for one),
    as it is when there is none; None when a NUL stands where nothing can be encoded: in a header, between parts, in what
    claims to be encoded. Other parts keep every byte."""
    if b"\0" not in raw:
        return raw

    def wanted(node: Node) -> bool:
        if node.children or node.message is not None:
            return node.encoding == "binary"
        return node.encoding in IDENTITY and raw.find(b"\0", node.body_offset, node.body_end) >= 0

    made = _recoded(raw, wanted)
    return None if b"\0" in made else made


def _recoded(raw: bytes, wanted: Callable[[Node], bool]) -> bytes:
    """Wanted leaves in base64, wanted containers in 8bit."""
    pieces: list[bytes] = []
    done = 0
    for node in structure(raw).walk():
        if node.header_offset < done or not wanted(node):
            continue
        block = raw[node.header_offset : node.body_offset]
        is_leaf = not node.children and node.message is None and not CONTAINER.search(block)
        pieces += [raw[done : node.header_offset], labelled(block, b"base64" if is_leaf else b"8bit")]
        done = node.body_offset
        if is_leaf:
            pieces.append(_encoded(raw, node))
            done = node.body_end
    return b"".join([*pieces, raw[done:]])


def labelled(block: bytes, encoding: bytes) -> bytes:
    """A header with this Content-Transfer-Encoding, once; at its end when there was none."""
    first = True
    if not _FIELD.search(block):
        blank = 2 if block.endswith(b"\r\n") else 1 if block.endswith(b"\n") else 0
        end = len(block) - blank
        return block[:end] + b"Content-Transfer-Encoding: " + encoding + b"\r\n" + block[end:]

    def replace(_found: re.Match[bytes]) -> bytes:
        nonlocal first
        field, first = b"Content-Transfer-Encoding: " + encoding + b"\r\n" if first else b"", False
        return field

    return _FIELD.sub(replace, block)


def _encoded(raw: bytes, node: Node) -> bytes:
    lines = base64.encodebytes(raw[node.body_offset : node.body_end]).replace(b"\n", b"\r\n")
    return lines if node.body_end == len(raw) else lines.removesuffix(b"\r\n")  # the boundary brings its line break
