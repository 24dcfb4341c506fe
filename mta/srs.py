"""Envelope senders of forwarded mail: an address of ours that only we can make, so that SPF of the author's domain does
not stand against us, and that leads a bounce to the one who forwards.

The form is that of SRS (`SRS0=hash=time=…`); what stands behind the time is the account that forwards and not the
author: a bounce would tell him to whom his mail was passed on.
"""

from __future__ import annotations

import base64
import hmac

from core.crypto import keyed_hash

PURPOSE = "mta.srs"
PREFIX = "srs0="
DAY_S = 86_400
VALID_DAYS = 30
"""Longer than any server keeps trying."""
MODULUS = 1024


def rewritten(account_id: int, domain: str, now_s: float) -> str:
    """The envelope sender for mail that an account of `domain` forwards now."""
    day = f"{int(now_s // DAY_S) % MODULUS:x}"
    return f"SRS0={_mark(account_id, day, domain)}={day}={account_id:x}@{domain}"


def account_of(address: str, now_s: float) -> int | None:
    """The account of such an address, while it is valid; None for any other text."""
    local, _, domain = address.rpartition("@")
    pieces = local.lower().split("=")
    if len(pieces) != 4 or f"{pieces[0]}=" != PREFIX:
        return None
    _, mark, day, number = pieces
    try:
        age = (int(now_s // DAY_S) - int(day, 16)) % MODULUS
        account_id = int(number, 16)
    except ValueError:
        return None
    # Servers on the way may change the case of a local part, so it carries none.
    is_ours = hmac.compare_digest(mark.encode(), _mark(account_id, day, domain.lower()).encode())
    return account_id if is_ours and age <= VALID_DAYS else None


def _mark(account_id: int, day: str, domain: str) -> str:
    digest = keyed_hash(PURPOSE, f"{account_id}:{day}:{domain}".encode())
    return base64.b32encode(digest[:10]).decode().lower()
