"""Names of mailboxes on the wire: modified UTF-7 (RFC 3501 5.1.3), or UTF-8 once it is enabled (RFC 6855, RFC 9051 5.1)."""

from __future__ import annotations

import base64
import binascii
import re

from mailaccess.imap.grammar.errors import ImapSyntaxError

_ENCODED = re.compile(r"&([^-]*)-")
_OUTSIDE = re.compile(r"[^\x20-\x7e]+|&")


def encode_utf7(name: str) -> str:
    """A name in modified UTF-7."""

    def shift(found: re.Match[str]) -> str:
        if found[0] == "&":
            return "&-"
        coded = base64.b64encode(found[0].encode("utf-16-be", "surrogatepass")).decode().rstrip("=")
        return f"&{coded.replace('/', ',')}-"

    return _OUTSIDE.sub(shift, name)


def decode_utf7(name: str) -> str:
    """The way back. Raises ImapSyntaxError for what no encoder writes."""

    def unshift(found: re.Match[str]) -> str:
        coded = found[1]
        if not coded:
            return "&"
        try:
            raw = base64.b64decode(coded.replace(",", "/") + "=" * (-len(coded) % 4), validate=True)
            return raw.decode("utf-16-be")
        except (binascii.Error, ValueError):
            raise ImapSyntaxError("bad mailbox name") from None

    decoded = _ENCODED.sub(unshift, name)
    if encode_utf7(decoded) != name:
        raise ImapSyntaxError("bad mailbox name")
    return decoded


def decode_name(name: bytes, *, utf8: bool) -> str:
    """What a client calls a mailbox. Old programs write 8-bit names although nobody told them: they are UTF-8 too."""
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        raise ImapSyntaxError("mailbox name is not UTF-8") from None
    if not text.isprintable():
        raise ImapSyntaxError("bad mailbox name")
    if utf8 or not text.isascii():
        return text
    return decode_utf7(text) if "&" in text else text
