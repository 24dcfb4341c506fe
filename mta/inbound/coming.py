"""A mail that is about to be stored, as those see it who decide about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from accounts.rows import AccountRow
from mailstore.message import Scanned
from mta.authentication.results import Judgement
from mta.inbound.facts import Facts
from mta.inbound.filing import Filed
from mta.inbound.trace import Arrival

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
    """None: it was written here."""
    judgement: Judgement | None = None
    require_tls: bool = False
