"""Greylisting (RFC 6647): a stranger's first mail from an unknown sender is asked to come again; what spams seldom does.

Rows, so that every process and a restart know what was asked. An address block that has come again for PROOFS different
mails is asked no more, and one that nobody sees for KEEP_S is forgotten.
"""

from __future__ import annotations

import hashlib

from django.db import connection

from core.bulk import executed
from core.connection import address_block

PROOFS = 3
WAIT_MAX_S = 2 * 24 * 3600
"""Who does not come again within two days begins anew."""
KEEP_S = 36 * 24 * 3600
"""Longer than the longest month, for what comes monthly."""
SECOND_US = 1_000_000


def wait_s(address: str, sender: str, recipient: str, *, now_us: int, delay_s: int) -> int:
    """How long this mail must wait yet; 0: it may pass. One query, two on the first pass; call on a database thread."""
    block = address_block(address)
    triple, client = _digest("mail", block, sender.lower(), recipient.lower()), _digest("client", block)
    found = _look([triple, client])
    if found.get(client, (0, 0))[1] >= PROOFS:
        _touch(client, now_us)
        return 0
    first_us, passes = found.get(triple, (0, 0))
    if not first_us or (not passes and now_us - first_us > WAIT_MAX_S * SECOND_US):
        _begin(triple, now_us)
        return delay_s
    left_s = -(-(first_us + delay_s * SECOND_US - now_us) // SECOND_US)
    if left_s > 0:
        return left_s
    if not passes:
        _touch(client, now_us, proofs=1)
    _touch(triple, now_us, proofs=1)
    return 0


def expire(now_us: int) -> None:
    """Forget who waited in vain, and who was not seen for long."""
    with executed(
        "DELETE FROM mta_greylisted WHERE seen_us < %s OR (passes = 0 AND seen_us < %s)",
        [now_us - KEEP_S * SECOND_US, now_us - WAIT_MAX_S * SECOND_US],
    ):
        pass


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()


def _look(digests: list[bytes]) -> dict[bytes, tuple[int, int]]:
    marks = ", ".join(["%s"] * len(digests))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT digest, first_us, passes FROM mta_greylisted WHERE digest IN ({marks})", digests)
        return {bytes(digest): (first_us, passes) for digest, first_us, passes in cursor.fetchall()}


def _begin(digest: bytes, now_us: int) -> None:
    with executed(
        "INSERT INTO mta_greylisted (digest, first_us, seen_us, passes) VALUES (%s, %s, %s, 0) "
        "ON CONFLICT (digest) DO UPDATE SET first_us = excluded.first_us, seen_us = excluded.seen_us",
        [digest, now_us, now_us],
    ):
        pass


def _touch(digest: bytes, now_us: int, *, proofs: int = 0) -> None:
    with executed(
        "INSERT INTO mta_greylisted (digest, first_us, seen_us, passes) VALUES (%s, %s, %s, %s) "
        "ON CONFLICT (digest) DO UPDATE SET seen_us = excluded.seen_us, passes = mta_greylisted.passes + excluded.passes",
        [digest, now_us, now_us, proofs],
    ):
        pass
