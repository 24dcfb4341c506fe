"""The Date field of a mail that was written earlier than it is sent."""

from __future__ import annotations

import re

from mta.inbound.trace import mail_date

_DATE = re.compile(rb"^date:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*", re.IGNORECASE | re.MULTILINE)
_HEADER_END = re.compile(rb"\r?\n\r?\n")


def dated(message: bytes, at_us: int) -> bytes:
    """`message` with `at_us` in its Date (RFC 5322 3.6.1); every other byte stays. One without Date stays as it is."""
    end = _HEADER_END.search(message)
    found = _DATE.search(message, 0, end.end() if end else len(message))
    if found is None:
        return message
    field = b"Date: " + mail_date(at_us / 1_000_000).encode()
    return message[: found.start()] + field + message[found.end() :]
