"""SASL's lines in SMTP (RFC 4954 4): base64 both ways. The mechanisms are `accounts.sasl`'s."""

from __future__ import annotations

import base64
import binascii


def decode(line: bytes) -> bytes | None:
    """One base64 line ('=' alone is an empty answer, RFC 4954 4); None when it is not base64."""
    if line == b"=":
        return b""
    try:
        return base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        return None


def challenge(message: bytes) -> bytes:
    """A server's turn."""
    return b"334 " + base64.b64encode(message) + b"\r\n"
