"""Multi-line answers (RFC 1939 3): CRLF line ends, dots stuffed, a lone dot at the end."""

from __future__ import annotations

import re

_BARE = re.compile(rb"(?<!\r)\n")


def stuffed(content: bytes) -> bytes:
    """`content` as the body of a multi-line answer, with its end."""
    if b"\n" in content and content.count(b"\n") != content.count(b"\r\n"):
        content = _BARE.sub(b"\r\n", content)
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    if content.startswith(b"."):
        content = b"." + content
    return content.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def top(content: bytes, header_length: int, count: int) -> bytes:
    """The header block, the empty line and `count` lines of the body (RFC 1939 7, TOP)."""
    at = header_length
    for _ in range(count):
        end = content.find(b"\n", at)
        if end < 0:
            return content
        at = end + 1
    return content[:at]
