"""Counting connections by what became of TLS, for domains that have a policy or ask for reports."""

from __future__ import annotations

import collections
import datetime
from typing import NamedTuple

from django.db import transaction

from mta import daily_reports
from mta.models import TlsOutcome
from mta.outbound.routing import Hop

WAITING_MAX = 10_000


class Seen(NamedTuple):
    """Connections that are the same to a report; `failure` is empty for success (RFC 8460 4.3)."""

    day: str
    domain: str
    policy: str
    mx: str
    address: str
    failure: str


class Observations:
    """What one run has seen and not written yet."""

    def __init__(self) -> None:
        self._seen: collections.Counter[Seen] = collections.Counter()

    def note(self, domain: str, hop: Hop, failure: str, *, is_tls: bool = False) -> None:
        """One connection: with TLS, or what came of it. A server that offers no TLS and needs none is nothing to tell."""
        policy = hop.security.policy
        if hop.login is not None or not (is_tls or failure) or len(self._seen) >= WAITING_MAX:
            return
        day = datetime.datetime.now(datetime.UTC).date().isoformat()
        self._seen[Seen(day, domain, policy, hop.name, hop.address, failure)] += 1

    def write(self) -> None:
        """Add to the rows; call on a database thread."""
        if not self._seen:
            return
        seen, self._seen = self._seen, collections.Counter()
        with transaction.atomic():
            daily_reports.count(
                TlsOutcome, ((each.day, each.domain, each._asdict(), number) for each, number in seen.items())
            )
