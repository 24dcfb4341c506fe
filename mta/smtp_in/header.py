"""What a submission server reads and adds in a header block (RFC 6409 8)."""

from __future__ import annotations

import re
import uuid

from mta.inbound.trace import mail_date

FIELD_MAX = 20
"""Fields of one name that are looked at; the standard allows one From."""


def field_values(header: bytes, name: bytes) -> list[bytes]:
    """Unfolded values of every field `name` in a header block that starts with CRLF."""
    pattern = re.compile(rb"\r\n" + re.escape(name) + rb"[ \t]*:((?:[^\r\n]|\r\n[ \t])*)", re.IGNORECASE)
    found = (match[1] for _, match in zip(range(FIELD_MAX), pattern.finditer(header), strict=False))
    return [b" ".join(value.split()) for value in found]


def missing_fields(header: bytes, sender: str, now_s: float) -> bytes:
    """Date, Message-ID and From lines for a message that has none (RFC 5322 3.6)."""
    added = b""
    if not field_values(header, b"date"):
        added += f"Date: {mail_date(now_s)}\r\n".encode()
    if not field_values(header, b"message-id"):
        added += f"Message-ID: <{uuid.uuid4().hex}@{sender.rpartition('@')[2]}>\r\n".encode()
    if not field_values(header, b"from"):
        added += f"From: <{sender}>\r\n".encode()
    return added
