"""One destination: who waits for it, the connections that are open to it, and how it has behaved.

Each has its own bounds, so that a slow one holds its own mail alone; one that can't be reached is not tried again for a
while, and what waits for it is deferred at once.
"""

from __future__ import annotations

import collections
import dataclasses
import time

from django.conf import settings

from mta.outbound.load import Group
from mta.outbound.result import Verdict
from mta.outbound.routing import Hop, NoRoute
from mta.outbound.session import Session

DOWN_S = 60.0
"""A destination that can't be reached, or says 421, is left alone for so long."""
ROUTE_S = 300.0
IDLE_S = 10.0
"""Longest an idle connection is kept: less than servers wait (RFC 5321 4.5.3.2.7)."""
CARRIED_MAX = 100
"""Transactions on one connection."""
SLOW_S = 5.0
BACKLOG_NEW = 400
BACKLOG_SLOW = 20
"""Groups that may wait for a destination in this process: a fast or new one, and one that has finished nothing for
SLOW_S."""
PACED_S = 300.0
CONNECTIONS = 20
PER_MINUTE = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds:
    """Of one destination: connections at once, and transactions a minute (0: any number)."""

    connections: int = CONNECTIONS
    per_minute: int = PER_MINUTE

    @classmethod
    def of(cls, domain: str) -> Bounds:
        """From DESTINATIONS: the domain's own, else those of `*`."""
        known = settings.DESTINATIONS
        given = known.get("*", {}) | known.get(domain, {})
        return cls(max(1, int(given.get("connections", CONNECTIONS))), max(0, int(given.get("per_minute", PER_MINUTE))))


class Lane:
    """State of one destination within a run."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.waiting: collections.deque[Group] = collections.deque()
        self.running = 0
        self.route: list[Hop] | NoRoute | None = None
        self._route_until = 0.0
        self._idle: list[Session] = []
        self._down_until = 0.0
        self._why: NoRoute | None = None
        self._progress_at = time.monotonic()
        self._next_at = 0.0

    # Who may wait ---------------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """How many groups more may wait."""
        return max(0, self._backlog - len(self.waiting))

    @property
    def _backlog(self) -> int:
        """Not more than what can begin within PACED_S either: the rest is claimed when its time comes."""
        is_slow = self.running and time.monotonic() - self._progress_at > SLOW_S
        most = BACKLOG_SLOW if is_slow else BACKLOG_NEW
        pace = self.bounds.per_minute
        return min(most, max(1, int(pace * PACED_S / 60))) if pace else most

    def surplus(self) -> list[Group]:
        """What waits for a destination that has become slow, taken out."""
        taken = []
        if self.running and time.monotonic() - self._progress_at > SLOW_S:
            while len(self.waiting) > BACKLOG_SLOW:
                taken.append(self.waiting.pop())
        return taken

    @property
    def may_start(self) -> bool:
        """Whether a transaction may begin now."""
        return bool(self.waiting) and self.running < self.bounds.connections and time.monotonic() >= self._next_at

    @property
    def starts_in_s(self) -> float:
        """Seconds until the pace allows the next transaction."""
        return max(0.0, self._next_at - time.monotonic())

    def take(self) -> Group:
        """The next group; the pace counts from now."""
        if self.bounds.per_minute:
            self._next_at = max(self._next_at, time.monotonic() - 1.0) + 60.0 / self.bounds.per_minute
        self.running += 1
        return self.waiting.popleft()

    def finish(self) -> None:
        """A transaction is over."""
        self.running -= 1
        self._progress_at = time.monotonic()

    # How it behaves -------------------------------------------------------------------------------

    def is_down(self) -> NoRoute | None:
        """Why nothing is tried now."""
        return self._why if time.monotonic() < self._down_until else None

    def mark_down(self, code: str, text: str) -> None:
        """Nothing more for DOWN_S."""
        self._down_until = time.monotonic() + DOWN_S
        self._why = NoRoute(Verdict.LATER, code, text)

    def known_route(self) -> list[Hop] | NoRoute | None:
        """The route, while it is fresh."""
        return self.route if time.monotonic() < self._route_until else None

    def keep_route(self, route: list[Hop] | NoRoute) -> None:
        """Remember it for ROUTE_S."""
        self.route, self._route_until = route, time.monotonic() + ROUTE_S

    # Connections ----------------------------------------------------------------------------------

    def idle_session(self) -> Session | None:
        """A connection that may carry another transaction."""
        while self._idle:
            session = self._idle.pop()
            if session.is_usable and time.monotonic() - session.idle_since < IDLE_S:
                return session
            session.wire.close()
        return None

    async def give_back(self, session: Session) -> None:
        """Keep a connection for the next transaction, or end it."""
        if not session.is_usable or session.carried >= CARRIED_MAX:
            await session.leave()
            return
        session.idle_since = time.monotonic()
        self._idle.append(session)

    async def close(self) -> None:
        """End idle connections."""
        while self._idle:
            await self._idle.pop().leave()
