"""Envelope senders that only we can make: a local part that leads whatever comes back to one of our rows, for a month.

`PREFIX=hash=day=number@domain`: the form of SRS. Servers on the way may change the case of a local part, so that nothing
in it depends on case.
"""

from __future__ import annotations

import base64
import dataclasses
import hmac

from core.crypto import keyed_hash

DAY_S = 86_400
VALID_DAYS = 30
"""Longer than any server keeps trying, and than most reports are late."""
MODULUS = 1024
"""Days are counted modulo this, to keep addresses short."""


@dataclasses.dataclass(frozen=True, slots=True)
class Returns:
    """One kind of such addresses; `purpose` keeps its hashes apart from every other kind's."""

    purpose: str
    prefix: str

    def address(self, number: int, domain: str, now_s: float) -> str:
        """The address at `domain` for a row's number, made now."""
        day = f"{_day(now_s):x}"
        return f"{self.prefix}={self._mark(number, day, domain.lower())}={day}={number:x}@{domain}"

    def number_of(self, address: str, now_s: float) -> int | None:
        """The number in such an address, while it is valid; None for any other text."""
        local, _, domain = address.rpartition("@")
        pieces = local.lower().split("=")
        if len(pieces) != 4 or pieces[0] != self.prefix.lower():
            return None
        _, mark, day, written = pieces
        try:
            age = (_day(now_s) - int(day, 16)) % MODULUS
            number = int(written, 16)
        except ValueError:
            return None
        if not 0 < number < 1 << 63:
            return None
        is_ours = hmac.compare_digest(mark.encode(), self._mark(number, day, domain.lower()).encode())
        return number if is_ours and age <= VALID_DAYS else None

    def _mark(self, number: int, day: str, domain: str) -> str:
        digest = keyed_hash(self.purpose, f"{number}:{day}:{domain}".encode())
        return base64.b32encode(digest[:10]).decode().lower()


def _day(now_s: float) -> int:
    return int(now_s // DAY_S) % MODULUS


FORWARDED = Returns("mta.srs", "SRS0")
"""Of forwarded mail, so that SPF of the author's domain does not stand against us: the number is the account that
forwards. The author does not stand in it: a bounce would tell him to whom his mail was passed on."""
INDIVIDUAL = Returns("mta.verp", "verp")
"""Of mail sent to each recipient by himself and of a list's to members elsewhere (VERP), in the author's domain, so that SPF speaks for it (RFC 7489 3.1.2): the
number is the delivery, so that what comes back tells which one it is about, however badly the report is written."""
