"""Recognising a mail that comes again because its 250 was lost (RFC 5321 4.5.3.2.6, RFC 1047).

A row is written in the transaction that stores the mail. Once the client shows that it has read the 250 the row goes
(`forget`), so the table holds what is in doubt and nothing else, and bytes sent again on purpose are a new mail. A browser
names what it sends (`webmail.views.compose`) and shows nothing: its rows stay until they are old.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence

from django.db import connection

from core.bulk import insert_rows
from core.errors import ErrorKind, MailError

KEEP_US = 24 * 3600 * 1_000_000


class AlreadyAcceptedError(MailError):
    """The same bytes with the same envelope were stored within 24 hours and perhaps never answered."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.EXISTS)


def digest_of(sender: str, recipients: Iterable[str], message: bytes) -> bytes:
    """What makes two transactions the same: envelope and received bytes."""
    envelope = "\0".join([sender, *sorted(recipients)]) + "\0\0"
    return hashlib.sha256(envelope.encode() + message).digest()


def remember(digest: bytes) -> None:
    """Write the row inside the caller's transaction; raises AlreadyAcceptedError when it stands."""
    failed = remember_all([digest])
    if failed is not None:
        raise failed[1]


def is_remembered(digest: bytes) -> bool:
    """Whether what has this digest was stored."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM mta_accepted WHERE digest = %s", [digest])
        return cursor.fetchone() is not None


def remember_all(digests: Sequence[bytes]) -> tuple[int, AlreadyAcceptedError] | None:
    """Write the rows inside the caller's transaction; the first that stands already, and what to tell its client."""
    at_us = time.time_ns() // 1000
    written = insert_rows(
        "mta_accepted",
        "digest, at_us, answered",
        [(digest, at_us, False) for digest in digests],
        "ON CONFLICT (digest) DO NOTHING RETURNING digest",
    )
    if len(written) == len(digests):
        return None
    fresh = {bytes(digest) for (digest,) in written}
    for position, digest in enumerate(digests):
        if digest not in fresh:
            return position, AlreadyAcceptedError()
        fresh.remove(digest)  # the same mail twice in one group: its second copy is the one too many
    return None


def forget(digests: Sequence[bytes]) -> None:
    """The clients have read these answers."""
    if digests:
        marks = ", ".join(["%s"] * len(digests))
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM mta_accepted WHERE digest IN ({marks})", list(digests))


def expire(now_us: int) -> None:
    """Drop what is older than 24 hours."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM mta_accepted WHERE at_us < %s", [now_us - KEEP_US])
