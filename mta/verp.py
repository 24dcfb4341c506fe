"""Envelope senders of their own for each recipient of bulk mail (VERP): whatever comes back to one tells which delivery
it is about, however badly the report is written or however often the mail was forwarded.

The form is that of `mta.srs`: only we can make one, and it holds for a month. It stands in the author's own domain, so
that SPF still speaks for it (RFC 7489 3.1.2).
"""

from __future__ import annotations

import base64
import hmac

from core.crypto import keyed_hash

PURPOSE = "mta.verp"
PREFIX = "verp"
DAY_S = 86_400
VALID_DAYS = 30
"""Longer than any server keeps trying, and than most reports are late."""
MODULUS = 1024


def sender_for(delivery_id: int, domain: str, now_s: float) -> str:
    """The envelope sender under which a delivery of an author of `domain` leaves now."""
    day = f"{int(now_s // DAY_S) % MODULUS:x}"
    return f"{PREFIX}={_mark(delivery_id, day, domain.lower())}={day}={delivery_id:x}@{domain}"


def delivery_of(address: str, now_s: float) -> int | None:
    """The delivery of such an address, while it is valid; None for any other text."""
    local, _, domain = address.rpartition("@")
    pieces = local.lower().split("=")
    if len(pieces) != 4 or pieces[0] != PREFIX:
        return None
    _, mark, day, number = pieces
    try:
        age = (int(now_s // DAY_S) - int(day, 16)) % MODULUS
        delivery_id = int(number, 16)
    except ValueError:
        return None
    if not 0 < delivery_id < 1 << 63:
        return None
    # Servers on the way may change the case of a local part, so it carries none.
    is_ours = hmac.compare_digest(mark.encode(), _mark(delivery_id, day, domain.lower()).encode())
    return delivery_id if is_ours and age <= VALID_DAYS else None


def _mark(delivery_id: int, day: str, domain: str) -> str:
    digest = keyed_hash(PURPOSE, f"{delivery_id}:{day}:{domain}".encode())
    return base64.b32encode(digest[:10]).decode().lower()
