"""Counters and histograms of all processes: added up in memory, in Redis every few seconds, read by `/metrics`.

A process never waits for Redis: what can't be written stays and goes with the next round. Names and labels are a closed
set of the code's own, so memory is bounded. Without Redis the page shows what was counted before it went.
"""

from __future__ import annotations

import bisect
import collections
import functools
import json
import logging
import os
import threading
import time

import redis

from core.redis import client

KEY = "globalmail:metrics"
EVERY_S = 5.0
KEYS_MAX = 5_000
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds of histograms, in seconds."""

log = logging.getLogger(__name__)

Key = tuple[str, tuple[tuple[str, str], ...]]

_lock = threading.Lock()
_amounts: collections.Counter[Key] = collections.Counter()
_writer: tuple[int, threading.Thread] | None = None


def count(name: str, amount: float = 1, **labels: str) -> None:
    """Add to the counter `name`; labels must come from a small closed set."""
    _add(((name, _sorted(labels)), amount))


def observe(name: str, seconds: float, **labels: str) -> None:
    """Put a duration into the histogram `name`."""
    bucket, total = _of_histogram(name, _sorted(labels), bisect.bisect_left(BUCKETS_S, seconds))
    _add((bucket, 1), (total, seconds))


def flush() -> None:
    """Write what was counted; it stays when Redis can't be had."""
    with _lock:
        amounts = dict(_amounts)
        _amounts.clear()
    if not amounts:
        return
    try:
        with client().pipeline(transaction=True) as pipeline:
            for (name, labels), amount in amounts.items():
                pipeline.hincrbyfloat(KEY, json.dumps([name, dict(labels)], sort_keys=True), amount)
            pipeline.execute()
    except (redis.RedisError, OSError) as error:
        log.debug("metrics wait", extra={"error": str(error)})
        with _lock:
            _amounts.update(amounts)


def totals() -> dict[Key, float]:
    """What all processes have counted since Redis was new; raises redis.RedisError."""
    flush()
    found: dict[bytes, bytes] = client().hgetall(KEY)  # type: ignore[assignment]
    return {_key(field): float(amount) for field, amount in found.items()}


def _key(field: bytes) -> Key:
    name, labels = json.loads(field)
    return name, tuple(sorted(labels.items()))


def _sorted(labels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items())) if len(labels) > 1 else tuple(labels.items())


@functools.lru_cache(maxsize=KEYS_MAX)
def _of_histogram(name: str, labels: tuple[tuple[str, str], ...], bound: int) -> tuple[Key, Key]:
    """The counter of one bucket, and that of the sum."""
    edge = str(BUCKETS_S[bound]) if bound < len(BUCKETS_S) else "+Inf"
    return (f"{name}_bucket", tuple(sorted((*labels, ("le", edge))))), (f"{name}_sum", labels)


def _add(*found: tuple[Key, float]) -> None:
    with _lock:
        for key, amount in found:
            if key in _amounts or len(_amounts) < KEYS_MAX:
                _amounts[key] += amount  # type: ignore[assignment]
    if _writer is None or _writer[0] != os.getpid():
        _start_writer()


def _start_writer() -> None:
    """One thread for each process; a fork has none of its parent's."""
    global _writer  # noqa: PLW0603 - one for each process
    with _lock:
        if _writer is not None and _writer[0] == os.getpid():
            return
        thread = threading.Thread(target=_write_for_ever, name="metrics", daemon=True)
        _writer = (os.getpid(), thread)
    thread.start()


def _write_for_ever() -> None:
    while True:
        time.sleep(EVERY_S)
        flush()
