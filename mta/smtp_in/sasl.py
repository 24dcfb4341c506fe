"""SASL over SMTP (RFC 4954): PLAIN (RFC 4616) and LOGIN, as values; no sockets, no accounts."""

from __future__ import annotations

import base64
import binascii
import dataclasses

SECRET_MAX = 1024
"""Bytes of a name or a password; longer is nobody's."""

USERNAME_PROMPT = b"334 VXNlcm5hbWU6\r\n"
PASSWORD_PROMPT = b"334 UGFzc3dvcmQ6\r\n"
EMPTY_PROMPT = b"334 \r\n"


@dataclasses.dataclass(frozen=True, slots=True)
class Login:
    """What the client claims and the proof."""

    name: str
    secret: str


def decode(line: bytes) -> bytes | None:
    """One base64 line ('=' alone is an empty answer, RFC 4954 4); None when it is not base64."""
    if line == b"=":
        return b""
    try:
        return base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        return None


def read_plain(message: bytes) -> Login | None:
    """`[authzid] NUL authcid NUL password`; acting for somebody else (another authzid) is not offered."""
    parts = message.split(b"\0")
    if len(parts) != 3 or not parts[1]:
        return None
    authorization, name, secret = (text_of(part) for part in parts)
    if name is None or secret is None or authorization is None:
        return None
    if authorization not in ("", name):
        return None
    return Login(name, secret)


def text_of(part: bytes) -> str | None:
    """UTF-8 of a bounded length without NUL, or None."""
    if len(part) > SECRET_MAX or b"\0" in part:
        return None
    try:
        return part.decode()
    except UnicodeDecodeError:
        return None
