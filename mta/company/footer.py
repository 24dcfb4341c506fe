"""The company's footer below a message's text, in its plain and its HTML form; every other byte stays.

What is signed or encrypted as a whole (RFC 1847, RFC 8551) is left alone: a changed byte would break it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from django.utils.html import escape

from mailstore.message import body
from mailstore.message.structure import Node, structure
from mta.models import SendPolicy

TEXT_MAX_BYTES = 4 * 1024 * 1024
"""Longer texts are no letters; their footer is not worth the memory."""
_SEALED = frozenset({"multipart/signed", "multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})
_CONTENT = re.compile(
    rb"^(?:content-type|content-transfer-encoding)[ \t]*:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n",
    re.IGNORECASE | re.MULTILINE,
)
_END = re.compile(r"</body\s*>(?![\s\S]*</body\s*>)", re.IGNORECASE)


def with_footer(message: bytes, policy: SendPolicy) -> bytes:
    """`message` with the footer in its first plain text and its first HTML; the same bytes when there is no place."""
    text = policy.footer_text.strip()
    html = policy.footer_html.strip() or escape(text).replace("\n", "<br>")
    root = structure(message)
    if not html or root.content_type in _SEALED:
        return message
    leaves = list(_texts(root))
    plain = next((leaf for leaf in leaves if leaf.subtype == "plain"), None)
    rich = next((leaf for leaf in leaves if leaf.subtype == "html"), None)
    changed = message
    for leaf in sorted((each for each in (plain, rich) if each), key=lambda each: each.header_offset, reverse=True):
        addition = html if leaf is rich else text
        if addition and leaf.body_end - leaf.body_offset <= TEXT_MAX_BYTES:
            changed = _replaced(changed, leaf, addition, is_html=leaf is rich)
    return changed


def _texts(node: Node) -> Iterator[Node]:
    """Texts that are read, not files, and not in a message that is attached."""
    for child in node.children:
        yield from _texts(child)
    if node.children or node.message or node.type != "text" or node.disposition == "attachment" or node.filename:
        return
    yield node


def _replaced(message: bytes, leaf: Node, addition: str, *, is_html: bool) -> bytes:
    text = body.text(message, leaf, TEXT_MAX_BYTES * 2)
    if is_html:
        block = f'<div class="company-footer">{addition}</div>'
        joined = _END.sub(lambda end: block + end[0], text, count=1) if _END.search(text) else text + block
    else:
        joined = f"{text.rstrip()}\n\n{addition}\n"
    encoded = base64.encodebytes(re.sub(r"\r?\n", "\r\n", joined).encode()).replace(b"\n", b"\r\n")
    header = _CONTENT.sub(b"", message[leaf.header_offset : leaf.body_offset])
    lines = f"Content-Type: text/{leaf.subtype}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n".encode()
    return message[: leaf.header_offset] + lines + header + encoded + message[leaf.body_end :]
