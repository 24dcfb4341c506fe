"""The change feed: hints {mailbox, modseq} over Redis, published after commit, never raising.

A hint says only that something changed; its reader fetches what changed after its own modseq from the
tables, so order, loss and doubles cannot hurt. Readers also compare modseq now and then (RESYNC_S), so
a missing Redis delays what they show and nothing else.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import queue
import threading
import time
from collections.abc import AsyncGenerator, Iterable, Iterator

import redis
from django.db import transaction

from core.redis import announcer, async_client

CHANNEL = "globalmail:changes"
RESYNC_S = 15.0
"""How often a reader compares modseq by itself; the promise is 20 s without Redis."""

PAUSE_S = 5.0
"""After a failure nothing is published for so long: a Redis that hangs must not slow the mail writer down."""

GAP_S = 0.05
"""After hints were sent, the next ones wait for so long and go together: who stores mail after mail would wake Redis and
every reader for each, and nobody sees the difference."""

log = logging.getLogger(__name__)
_quiet_until = 0.0
_thread = threading.local()


class _Outbox:
    """Hints of this process that wait for their turn: the newest of each mailbox."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, int] = {}
        self._sent_at = float("-inf")
        self._due: queue.SimpleQueue[float] | None = None
        """When the thread that sends later has to; None before it was needed."""

    def put(self, hints: Iterable[tuple[int, int]]) -> None:
        """Send now, or with others soon."""
        with self._lock:
            begins = not self._waiting
            for mailbox, modseq in hints:
                self._waiting[mailbox] = max(modseq, self._waiting.get(mailbox, 0))
            if not begins:
                return  # somebody sends them all
            due = self._sent_at + GAP_S
            is_soon = time.monotonic() < due and self._has_thread()
        if is_soon and self._due is not None:
            self._due.put(due)
        else:
            self.send()

    def send(self) -> None:
        """Send all that waits."""
        with self._lock:
            hints, self._waiting = self._waiting, {}
            self._sent_at = time.monotonic()
        if hints:
            _send(hints)

    def _has_thread(self) -> bool:
        if self._due is None:
            self._due = queue.SimpleQueue()
            try:
                threading.Thread(target=self._send_later, args=(self._due,), name="hints", daemon=True).start()
            except RuntimeError:  # no more threads
                self._due = None
        return self._due is not None

    def _send_later(self, dues: queue.SimpleQueue[float]) -> None:
        while True:
            time.sleep(max(0.0, dues.get() - time.monotonic()))
            self.send()


_outbox = _Outbox()


@atexit.register
def _send_rest() -> None:
    _outbox.send()


def _begin_anew() -> None:
    global _outbox  # noqa: PLW0603 - a child has none of its parent's threads, who would send what waits
    _outbox = _Outbox()


os.register_at_fork(after_in_child=_begin_anew)


def publish(hints: Iterable[tuple[int, int]]) -> None:
    """Tell every reader that these (mailbox, modseq) pairs exist, within `GAP_S`. Call after commit; never raises."""
    held_back: dict[int, int] | None = getattr(_thread, "held_back", None)
    if held_back is not None:
        held_back.update(hints)
    elif time.monotonic() >= _quiet_until:
        _outbox.put(hints)


def _send(hints: dict[int, int]) -> None:
    global _quiet_until  # noqa: PLW0603 - one circuit breaker for each process
    body = json.dumps(list(hints.items()))
    try:
        announcer().publish(CHANNEL, body)
    except (redis.RedisError, OSError) as error:
        _quiet_until = time.monotonic() + PAUSE_S
        log.info("change hint not published", extra={"error": str(error)})


@contextlib.contextmanager
def held_back() -> Iterator[dict[int, int]]:
    """Collect this thread's hints instead of publishing them; the caller publishes what was collected."""
    collected: dict[int, int] = {}
    _thread.held_back = collected
    try:
        yield collected
    finally:
        _thread.held_back = None


def publish_on_commit(hints: Iterable[tuple[int, int]]) -> None:
    """Publish after the current transaction commits (at once when there is none)."""
    listed = list(hints)
    transaction.on_commit(lambda: publish(listed), robust=True)


async def subscribe() -> AsyncGenerator[list[tuple[int, int]], None]:
    """Yield lists of (mailbox, modseq) until cancelled; an empty one first, when hints are heard from now on.

    Raises redis.RedisError when Redis goes away.
    """
    connection = async_client()
    feed = connection.pubsub()
    try:
        await feed.subscribe(CHANNEL)
        async for message in feed.listen():
            if message["type"] == "subscribe":
                yield []
            elif message["type"] == "message":
                yield [(int(mailbox), int(modseq)) for mailbox, modseq in json.loads(message["data"])]
    finally:
        await feed.aclose()  # type: ignore[no-untyped-call]
        await connection.aclose()
