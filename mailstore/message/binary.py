"""Messages with binary parts (RFC 3030 3) made into messages of lines, as the store and every other server keep them.

What a part holds stays, its transfer encoding becomes base64. A container (multipart, message) can't be encoded (RFC 2045
6.4) and is called 8bit: what it holds has been looked at by itself. Never raises; what lies too deep to be found stays as it
is.
"""

from __future__ import annotations

import base64
import re

from mailstore.message.structure import Node, structure

_FIELD = re.compile(rb"(?im)^content-transfer-encoding[ \t]*:[^\n]*+\n?(?:[ \t][^\n]*+\n?)*+")
_CONTAINER = re.compile(rb"(?im)^content-type[ \t]*:\s*(?:multipart|message)/")


def without_binary(raw: bytes) -> bytes:
    """The same message with no part in binary."""
    pieces: list[bytes] = []
    done = 0
    for node in structure(raw).walk():
        if node.encoding != "binary" or node.header_offset < done:
            continue
        block = raw[node.header_offset : node.body_offset]
        is_leaf = not node.children and node.message is None and not _CONTAINER.search(block)
        pieces += [raw[done : node.header_offset], _labelled(block, b"base64" if is_leaf else b"8bit")]
        done = node.body_offset
        if is_leaf:
            pieces.append(_encoded(raw, node))
            done = node.body_end
    return b"".join([*pieces, raw[done:]])


def _labelled(block: bytes, encoding: bytes) -> bytes:
    """A header with this encoding, once."""
    first = True

    def replace(_found: re.Match[bytes]) -> bytes:
        nonlocal first
        field, first = b"Content-Transfer-Encoding: " + encoding + b"\r\n" if first else b"", False
        return field

    return _FIELD.sub(replace, block)


def _encoded(raw: bytes, node: Node) -> bytes:
    lines = base64.encodebytes(raw[node.body_offset : node.body_end]).replace(b"\n", b"\r\n")
    return lines if node.body_end == len(raw) else lines.removesuffix(b"\r\n")  # the boundary brings its line break
