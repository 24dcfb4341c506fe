"""Forwarded mail: the guard against circles, and its bytes. No I/O."""

from __future__ import annotations

from mta.rules.looked import Looked

HOPS_MAX = 5
"""Mailboxes that may have passed a mail on before; Received lines are limited besides (`mta.inbound.trace`)."""


def goes_round(looked: Looked, address: str) -> bool:
    """Whether this mailbox has passed the mail on before, or too many others have."""
    passed = looked.values_of("delivered-to")
    return address.lower() in passed or len(passed) >= HOPS_MAX


def forwarded(message: bytes, *, address: str, hop: bytes, sealed: bytes) -> bytes:
    """What leaves: where it came from (`hop`, our Received field), which mailbox passes it on (RFC 9228), what we saw
    (ARC), the mail as it came."""
    return hop + f"Delivered-To: {address}\r\n".encode() + sealed + message
