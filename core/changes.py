"""The change feed: hints {mailbox, modseq} over Redis, published after commit, never raising.

A hint says only that something changed; its reader fetches what changed after its own modseq from the
tables, so order, loss and doubles cannot hurt. Readers also compare modseq now and then (RESYNC_S), so
a missing Redis delays what they show and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import logging
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

log = logging.getLogger(__name__)
_quiet_until = 0.0
_thread = threading.local()


def publish(hints: Iterable[tuple[int, int]]) -> None:
    """Tell every reader that these (mailbox, modseq) pairs exist. Call after commit; never raises."""
    global _quiet_until  # noqa: PLW0603 - one circuit breaker for each process
    held_back: dict[int, int] | None = getattr(_thread, "held_back", None)
    if held_back is not None:
        held_back.update(hints)
        return
    if time.monotonic() < _quiet_until:
        return
    body = json.dumps([[mailbox, modseq] for mailbox, modseq in hints])
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
