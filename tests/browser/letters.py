"""Mails that the browser tests send in by SMTP."""

from __future__ import annotations

import base64
import itertools

_numbers = itertools.count(1)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)


def letter(to: str, subject: str = "Price list", body: str = "Hello there", *, html: str = "") -> bytes:
    """A mail from Anna; with `html` both forms."""
    head = (
        f"From: Anna Schmidt <anna@lichtwerk.test>\nTo: {to}\nSubject: {subject}\n"
        f"Date: Mon, 23 Nov 2026 10:42:00 +0100\nMessage-ID: <{next(_numbers)}.browser@lichtwerk.test>\nMIME-Version: 1.0\n"
    )
    if not html:
        return _wire(f"{head}Content-Type: text/plain; charset=utf-8\n\n{body}\n")
    return _wire(
        f"{head}Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n{body}\n"
        f"--b\nContent-Type: text/html; charset=utf-8\n\n{html}\n--b--\n"
    )


def with_file(to: str, subject: str = "With a picture") -> bytes:
    """Text and a picture as a file."""
    content = base64.b64encode(PNG).decode()
    return _wire(
        f"From: Anna Schmidt <anna@lichtwerk.test>\nTo: {to}\nSubject: {subject}\nMessage-ID: <{next(_numbers)}.f@lichtwerk.test>\n"
        "Date: Mon, 23 Nov 2026 10:42:00 +0100\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=m\n\n"
        "--m\nContent-Type: text/plain; charset=utf-8\n\nSee the file.\n"
        "--m\nContent-Type: image/png\nContent-Disposition: attachment; filename=photo.png\n"
        f"Content-Transfer-Encoding: base64\n\n{content}\n--m--\n"
    )


def _wire(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()
