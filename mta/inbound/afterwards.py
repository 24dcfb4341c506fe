"""What follows an answer and need not be waited for: events for the log, answers that their clients have read, counts
for DMARC reports and for the senders' records.

Collected on the event loop, written every second in one transaction, off the receiving path. A crash loses at most a
second of events of mail that is safely stored, and leaves digests in `accepted` for a day.

A digest goes only when every process has finished what reached it before the answer was read: a client that hung up and
came again may have been answered by a quick process while a slow one still holds the mail it sent first.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import itertools
import logging
import time
from collections.abc import Callable, Iterable, Iterator

from django.db import DatabaseError, DataError, IntegrityError, transaction

from core import dbthread
from core.siblings import Finished
from logs_app.services import NewEvent, record_many
from mta.dmarc_reports.observed import Observation, count
from mta.inbound.accepted import forget
from mta.inbound.weighing import Seen
from mta.spam.record import count_seen

EVERY_S = 1.0
BATCH = 500
WAITING_MAX = 100_000
"""Events kept while the database can't write; more are dropped, mail comes first. Digests kept while a process does not say
how far it is; what is beyond stays in the table for a day."""

Happened = Callable[[], Iterable[NewEvent]]
"""What the log shall know of a mail, made when it is written: nobody waits for that."""
Part = tuple[list[Happened], list[bytes], dict[Observation, int], dict[Seen, int]]

log = logging.getLogger(__name__)


class Afterwards:
    """One per process; siblings share `finished` and have each their `number`."""

    def __init__(self, finished: Finished | None = None, number: int = 0) -> None:
        self._finished = finished or Finished()
        self._number = number
        self._taking: dict[object, float] = {}
        """Mails that are being taken, and since when; the oldest first."""
        self._events: list[Happened] = []
        self._digests: collections.deque[tuple[float, bytes]] = collections.deque()
        """With the moment when the answer was read; the oldest first."""
        self._observed: collections.Counter[Observation] = collections.Counter()
        self._seen: collections.Counter[Seen] = collections.Counter()

    def note(self, happened: Happened | None) -> None:
        """What happened with a mail that is stored or refused."""
        if happened is not None and len(self._events) < WAITING_MAX:
            self._events.append(happened)

    def observe(self, observation: Observation | None) -> None:
        """A judged mail, for the report to its domain."""
        if observation is not None and len(self._observed) < WAITING_MAX:
            self._observed[observation] += 1

    def see(self, seen: tuple[Seen, ...]) -> None:
        """A judged mail, for the record of its sender."""
        if len(self._seen) < WAITING_MAX:
            self._seen.update(seen)

    def answered(self, digest: bytes) -> None:
        """The client of this transaction has its answer."""
        if len(self._digests) < WAITING_MAX:
            self._digests.append((time.monotonic(), digest))

    @contextlib.contextmanager
    def taking(self) -> Iterator[None]:
        """Around the work on a mail that was read to its end, up to its answer."""
        key = object()
        self._taking[key] = time.monotonic()
        try:
            yield
        finally:
            del self._taking[key]

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.flush()

    async def flush(self, *, at_end: bool = False) -> None:
        """Write what was collected; what can't be written now is tried again. `at_end` nothing is left to wait for."""
        oldest = next(iter(self._taking.values()), None)
        past = self._finished.note(self._number, time.monotonic(), oldest)
        read_before = itertools.takewhile(lambda each: at_end or each[0] < past, self._digests)
        ready = sum(1 for _ in read_before)  # while a process is silent none is, and a long line costs nothing
        while self._events or ready or self._observed or self._seen:
            events = self._events[:BATCH]
            digests = [digest for _, digest in itertools.islice(self._digests, min(ready, BATCH))]
            observed = dict(itertools.islice(self._observed.items(), BATCH))
            seen = dict(itertools.islice(self._seen.items(), BATCH))
            try:
                await dbthread.run(_write, events, digests, observed, seen)
            except (DataError, IntegrityError):
                await dbthread.run(_write_apart, events, digests, observed, seen)
            except DatabaseError as error:
                log.info("events wait", extra={"error": str(error), "count": len(self._events)})
                return
            del self._events[: len(events)]
            for _ in digests:
                self._digests.popleft()
            ready -= len(digests)
            self._observed.subtract(observed)
            self._observed = +self._observed  # what was seen again meanwhile stays
            self._seen.subtract(seen)
            self._seen = +self._seen


def _write_apart(
    events: list[Happened], digests: list[bytes], observed: dict[Observation, int], seen: dict[Seen, int]
) -> None:
    """Each by itself: what the database never takes is let go of, and holds nothing up."""
    parts: list[Part] = [
        *(([_only(event)], [], {}, {}) for each in events for event in each()),
        ([], digests, {}, {}),
        *(([], [], {each: number}, {}) for each, number in observed.items()),
        *(([], [], {}, {each: number}) for each, number in seen.items()),
    ]
    for part in parts:
        try:
            _write(*part)
        except DatabaseError:
            log.exception("not written", extra={"lost": repr(part)[:500]})


def _only(event: NewEvent) -> Happened:
    return lambda: (event,)


def _write(
    events: list[Happened], digests: list[bytes], observed: dict[Observation, int], seen: dict[Seen, int]
) -> None:
    with transaction.atomic():
        record_many(event for each in events for event in each())
        forget(digests)
        count(observed)
        count_seen(seen)
