"""Messages for servers that take no 8-bit bytes (RFC 6152 3): parts are given a transfer encoding, or there is no such message.

What a part holds stays. Text that is mostly ASCII becomes quoted-printable, all else base64. What is signed or encrypted as
a MIME entity (RFC 1847) must not be touched, header fields can't be encoded without knowing what they mean, and what claims
to be encoded already is not what it says: a message with 8-bit bytes there can't be converted. Never raises. Work and memory
grow with the message alone: each byte is looked at a few times, and held twice at most.
"""

from __future__ import annotations

import base64
import binascii

from mailstore.message.binary import CONTAINER, IDENTITY, labelled
from mailstore.message.structure import Node, structure

UNTOUCHABLE = frozenset({"multipart/signed", "multipart/encrypted"})
"""RFC 1847 2.1: what is in them goes as it is."""
BASE64_GROWTH = 0.37
"""Four bytes for three, and line breaks; quoted-printable takes two more for each byte that it encodes."""


def seven_bit(raw: bytes) -> bytes | None:
    """The message with every byte below 128; itself when that is so already; None when it can't be made."""
    if raw.isascii():
        return raw
    pieces: list[bytes] = []
    done = 0
    root = structure(raw)
    for node in root.walk():
        if node.header_offset < done:
            continue  # of what may not be touched
        made = _converted(raw, node, is_root=node is root)
        if made is None:
            return None
        header, body, end = made
        if header is None:
            continue
        pieces += [raw[done : node.header_offset], header, body]
        done = end
    made_of_all = b"".join([*pieces, raw[done:]])
    return made_of_all if made_of_all.isascii() else None  # what stands between parts, or too deep to be found


def _converted(raw: bytes, node: Node, *, is_root: bool) -> tuple[bytes | None, bytes, int] | None:
    """Header and body to go in the place of the part's, and where it ends; no header: it stays; None: not possible."""
    block = raw[node.header_offset : node.body_offset]
    if not block.isascii():
        return None
    if node.content_type in UNTOUCHABLE:
        whole = raw[node.header_offset : node.body_end]
        return (whole, b"", node.body_end) if whole.isascii() else None
    if node.children or node.message is not None:
        return (labelled(block, b"7bit") if node.encoding in {"8bit", "binary"} else block), b"", node.body_offset
    body = raw[node.body_offset : node.body_end]
    if body.isascii():
        return None, b"", 0
    if node.encoding not in IDENTITY or CONTAINER.search(block):
        return None
    encoding, content = _encoded(body, is_text=node.type == "text", is_last=node.body_end == len(raw))
    return labelled(_described(block, body, is_root=is_root), encoding), content, node.body_end


def _encoded(body: bytes, *, is_text: bool, is_last: bool) -> tuple[bytes, bytes]:
    many = len(body.translate(None, bytes(range(128))))
    if is_text and 2 * many <= BASE64_GROWTH * len(body):
        lines = binascii.b2a_qp(body.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
        if lines.count(b"\n--") == body.count(b"\n--"):  # a line that was broken must not look like a boundary
            return b"quoted-printable", lines
    lines = base64.encodebytes(body).replace(b"\n", b"\r\n")
    return b"base64", lines if is_last else lines.removesuffix(b"\r\n")  # the boundary brings its line break


def _described(block: bytes, body: bytes, *, is_root: bool) -> bytes:
    """A header that says what text it is, and that there is MIME at all, where it did not (RFC 1428 3)."""
    fields = b"\n" + block.lower()
    more = b""
    if is_root and b"\nmime-version" not in fields:
        more += b"MIME-Version: 1.0\r\n"
    if b"\ncontent-type" not in fields:
        more += b"Content-Type: text/plain; charset=" + (b"utf-8" if _is_utf8(body) else b"unknown-8bit") + b"\r\n"
    return more + block


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
