"""The trace block in front of a received message, and the one change ever made to its bytes.

RFC 5321 4.4: Return-Path and Received. No recipient is named (a copy to Bcc would give it away), and one block serves
every recipient of a transaction. Authentication-Results stand between the two when the mail was judged.
"""

from __future__ import annotations

import dataclasses
import email.utils
import functools
import itertools
import os
import re

from django.conf import settings

from core.errors import ErrorKind, MailError

HEADER_MAX_BYTES = 512 * 1024
"""Longest header accepted; real ones stay under 100 KB, and whole headers are read at once."""
RECEIVED_MAX = 50
"""Received lines before a message is taken to go round in circles (RFC 5321 6.3). Honest mail has under 20; the RFC's
100 would let a loop double its traffic for nothing."""

_UNSAFE = re.compile(r"[^A-Za-z0-9.:\-_\[\]]")
_RESULTS = re.compile(
    rb"\r\nAuthentication-Results[ \t]*:(?:[ \t]|\r\n[ \t]|\([^()\r\n]{0,200}\)){0,20}\"?([^;\s\"]{1,255})",
    re.IGNORECASE,
)
_PASSED = re.compile(rb"\r\nDelivered-To[ \t]*:[ \t]*<?([^\r\n<>]{1,320})", re.IGNORECASE)

_numbers = itertools.count()


def new_queue_id(at_s: float) -> str:
    """A short name for one transaction, in the Received line and the log: time, process, a counter."""
    return f"{int(at_s * 1000):x}{os.getpid() & 0xFFFF:04x}{next(_numbers) & 0xFFF:03x}"


@dataclasses.dataclass(frozen=True, slots=True)
class Arrival:
    """How a message reached us. `protocol` is the `with` keyword (RFC 3848), `tls` a note or '', `name` the client's as
    the DNS confirms it, or ''."""

    queue_id: str
    at_s: float
    helo: str
    remote_address: str
    protocol: str
    tls: str = ""
    name: str = ""


def trace_block(arrival: Arrival, sender: str, results: bytes = b"") -> bytes:
    """Return-Path, `results` (Authentication-Results) and Received, CRLF at the end of each."""
    return f"Return-Path: <{sender}>\r\n".encode() + results + received_line(arrival)


def received_line(arrival: Arrival) -> bytes:
    """The Received header field (RFC 5321 4.4)."""
    helo = _UNSAFE.sub("?", arrival.helo) or "unknown"
    tls = f" ({arrival.tls})" if arrival.tls else ""
    date = mail_date(arrival.at_s)
    name = f"{_UNSAFE.sub('?', arrival.name)} " if arrival.name else ""
    return (
        f"Received: from {helo} ({name}{address_literal(arrival.remote_address)})\r\n"
        f"\tby {settings.EHLO_NAME} with {arrival.protocol}{tls}\r\n"
        f"\tid {arrival.queue_id}; {date}\r\n"
    ).encode()


def mail_date(at_s: float) -> str:
    """A date as header fields write it (RFC 5322 3.3), in UTC."""
    return _date_of(int(at_s))


@functools.lru_cache(maxsize=16)
def _date_of(second: int) -> str:
    return email.utils.formatdate(second).removesuffix("-0000") + "+0000"


def address_literal(address: str) -> str:
    """An IP address as SMTP writes it (RFC 5321 4.1.3)."""
    return f"[IPv6:{address}]" if ":" in address else f"[{address or 'unknown'}]"


def checked_header(message: bytes) -> bytes:
    """The header block without its empty line; raises TOO_LARGE, or LIMIT for a mail that goes in circles."""
    end = message.find(b"\r\n\r\n", 0, HEADER_MAX_BYTES) if not message.startswith(b"\r\n") else 0
    if end < 0:
        if len(message) >= HEADER_MAX_BYTES:
            raise MailError(ErrorKind.TOO_LARGE, part="header", limit_bytes=HEADER_MAX_BYTES)
        end = len(message)
    header = b"\r\n" + message[:end]
    if header.lower().count(b"\r\nreceived:") > RECEIVED_MAX:
        raise MailError(ErrorKind.LIMIT, part="received", limit=RECEIVED_MAX)
    return header


def passed_by(header: bytes) -> set[str]:
    """Addresses that have passed the mail on before (RFC 9228), in lower case."""
    return {found.decode("utf-8", "replace").strip().lower() for found in _PASSED.findall(header)}


def without_our_results(message: bytes, header: bytes) -> bytes:
    """`message` with every Authentication-Results that claims our name renamed (RFC 8601 5)."""
    names = {settings.EHLO_NAME.lower().encode(), settings.PUBLIC_HOST.lower().encode()}
    if b"authentication-results" not in header.lower():
        return message

    def rename(found: re.Match[bytes]) -> bytes:
        if found[1].lower() not in names:
            return found[0]
        return b"\r\nX-Received-" + found[0][2:]

    return _RESULTS.sub(rename, header)[2:] + message[len(header) - 2 :]
