"""A mail that is about to be stored, as those see it who decide about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from accounts.rows import AccountRow
from mailstore.message import Scanned
from mta.authentication.results import Judgement
from mta.inbound.facts import Facts
from mta.inbound.filing import Filed
from mta.inbound.trace import Arrival, received_line

File = Callable[[AccountRow, str, Facts], Filed]
"""Where a mail goes in the mailbox of an account that another one forwards to, by what is known of the mail."""


@dataclasses.dataclass(frozen=True, slots=True)
class Coming:
    """A mail that is about to be stored."""

    received: bytes
    """As it came, without our trace."""
    scanned: Scanned
    """Of the trace and `received` together."""
    sender: str
    """Of the envelope."""
    trace_length: int
    file: File
    arrival: Arrival | None = None
    """None: it was written here, or is released from the quarantine."""
    judgement: Judgement | None = None
    require_tls: bool = False
    is_released: bool = False
    """Somebody wants to have it: filters that reject are passed over in the mailbox it was put aside for."""
    earlier_hop: bytes = b""
    """Our Received field, where it is of another time."""

    @property
    def is_local(self) -> bool:
        """Whether it was written here."""
        return self.arrival is None and not self.earlier_hop

    @property
    def hop(self) -> bytes:
        """Our Received field; empty for what was written here."""
        return received_line(self.arrival) if self.arrival else self.earlier_hop
