"""The tag=value lists of DKIM, ARC and DMARC (RFC 6376 3.2)."""

from __future__ import annotations

import base64
import binascii
import re

LIST_MAX = 20_000
"""Longest list that is read; real signatures stay under 3,000."""

_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_USUAL_NAMES = """
    v a b bh c d h i l q s t x z cv k p n g sp np pct rua ruf fo ri adkim aspf
"""
_USUAL = frozenset(_USUAL_NAMES.split())
"""What nearly every list holds: known without a look at its letters."""
_SIGNATURE = re.compile(rb"[ \t\r\n]*b[ \t\r\n]*=")


def parse_tags(value: bytes) -> dict[str, str] | None:
    """Tags and their values, folding white space at the ends gone; None for what is not such a list."""
    if len(value) > LIST_MAX:
        return None
    try:
        text = value.decode()  # RFC 8616: UTF-8 is allowed
    except UnicodeDecodeError:
        return None
    tags: dict[str, str] = {}
    pieces = text.split(";")
    for piece in pieces[:-1] if not pieces[-1].strip() else pieces:
        name, equals, content = piece.partition("=")
        name = name.strip()
        if not equals or name in tags or not (name in _USUAL or _TAG.fullmatch(name)):
            return None
        tags[name] = content.strip()
    return tags


def decode_base64(text: str) -> bytes | None:
    """Base64 with white space anywhere (RFC 6376 2.10); None for what is not."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def without_signature(raw: bytes) -> bytes:
    """A signature field with the value of its b= emptied, all else untouched (RFC 6376 3.7)."""
    name, _, value = raw.partition(b":")
    begin = 0
    while (found := _SIGNATURE.match(value, begin)) is None:
        begin = value.find(b";", begin) + 1
        if not begin:
            return name + b":" + value
    end = value.find(b";", found.end())
    return name + b":" + value[: found.end()] + (value[end:] if end >= 0 else b"")
