"""Group commit: one writer thread per process, with a database connection of its own.

It commits when it is idle and takes what has queued meanwhile as the next group, so a group needs no timer: alone, a
mail commits at once; under load a commit's fsync is shared. A group that fails is tried without the item that failed,
or item by item; an item's future resolves after the commit, never before. Do not wait for a future inside a
transaction: the writer would wait for yours.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import dataclasses
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from core.changes import held_back, publish
from core.errors import ErrorKind, MailError
from core.full import refusal
from mailstore.services.incoming import Incoming
from mailstore.services.store import ItemError, Stored, store_group

GROUP_MAX = 64
"""Items of one group: 64 deliveries are about 10 ms."""
GROUP_MAX_BYTES = 4 << 20
IDLE_S = 5.0
"""A thread without work ends, and its connection with it."""
DEADLOCK_TRIES = 5
_DEADLOCK_STATES = frozenset({"40P01", "40001"})

log = logging.getLogger(__name__)

Future = concurrent.futures.Future[Stored] | asyncio.Future[Stored]


@dataclasses.dataclass(eq=False, slots=True)
class Job:
    """An item, and what becomes of it."""

    item: Incoming[Any]
    future: Future
    result: Stored | None = None
    error: Exception | None = None

    def settle(self) -> None:
        """Tell whoever waits, on the thread or loop where he does."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        elif self.result is not None:
            self.future.set_result(self.result)


class Writer:
    """The queue and its thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._turns: dict[asyncio.AbstractEventLoop, list[Job]] = {}

    def put(self, item: Incoming[Any], future: Future) -> None:
        """Queue an item; starts the thread when there is none."""
        self._put([Job(item, future)])

    def put_in_turn(self, item: Incoming[Any], future: asyncio.Future[Stored]) -> None:
        """Queue an item of an event loop at the end of its turn. What comes of one turn is one group; one by one the first
        would be a group by itself, and the thread would take the interpreter from the loop for it."""
        loop = future.get_loop()
        turn = self._turns.setdefault(loop, [])
        turn.append(Job(item, future))
        if len(turn) == 1:
            loop.call_soon(self._end_turn, loop)

    def _end_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        self._put(self._turns.pop(loop))

    def _put(self, jobs: Sequence[Job]) -> None:
        with self._lock:
            for job in jobs:
                self._queue.put(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mail-writer", daemon=True)
                self._thread.start()

    def drain(self, timeout_s: float = 30.0) -> None:
        """Commit what is queued, then end the thread and close its connection."""
        with self._lock:
            thread = self._thread
            if thread is not None:
                self._queue.put(None)
        if thread is not None:
            thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while (group := self._next_group()) is not None:
                with held_back() as hints:
                    try:
                        _commit(group, self._more)
                    except Exception as error:  # the loop of this thread: whatever it is, the futures must hear of it
                        log.exception("writer")
                        _fail(group, error)
                _settle(group)
                if hints:
                    publish(hints.items())  # after the answers
        finally:
            connection.close()

    def _next_group(self) -> list[Job] | None:
        """What is queued, waiting for the first; None when the thread shall end (it is forgotten then)."""
        while True:
            try:
                first = self._queue.get(timeout=IDLE_S)
            except queue.Empty:
                first = None
            if first is not None:
                return self._more([first])
            with self._lock:
                if self._queue.empty():
                    self._thread = None
                    return None

    def _more(self, group: list[Job]) -> list[Job]:
        """Take in what is queued, as far as a group goes."""
        size = sum(job.item.prepared.size for job in group)
        while len(group) < GROUP_MAX and size < GROUP_MAX_BYTES:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._queue.put(None)
                break
            group.append(job)
            size += job.item.prepared.size
        return group


def _settle(group: Sequence[Job]) -> None:
    """Resolve the futures; those of an event loop in one step, because waking it costs as much as a mail."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in group:
        if isinstance(job.future, asyncio.Future):
            by_loop.setdefault(job.future.get_loop(), []).append(job)
        else:
            job.settle()
    for loop, jobs in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle_all, jobs)


def _settle_all(jobs: Sequence[Job]) -> None:
    for job in jobs:
        job.settle()


More = Callable[[list[Job]], list[Job]]
Items = Callable[[], Sequence[Incoming[Any]]]


def _commit(group: list[Job], more: More) -> None:
    """Store a group, or as much of it as can be stored; results and errors are noted in the jobs. `more` takes in what was
    queued while other processes kept us from writing."""
    left = [job for job in group if not _is_cancelled(job.future)]

    def items() -> list[Incoming[Any]]:
        known = len(group)
        left.extend(job for job in more(group)[known:] if not _is_cancelled(job.future))
        return [job.item for job in left]

    while left:
        try:
            results = _store(items)
        except ItemError as error:
            left.pop(error.index).error = _cause(error)
        except (OperationalError, InterfaceError) as error:
            log.warning("group not stored", extra={"error": str(error)})
            return _fail(left, refusal(error))
        except Exception as error:
            if len(left) == 1:
                return _fail(left, error)
            return _commit_alone(left)
        else:
            for job, result in zip(left, results, strict=True):
                job.result = result
            return None
    return None


def _is_cancelled(future: Future) -> bool:
    if isinstance(future, asyncio.Future):
        return future.cancelled()
    return not future.set_running_or_notify_cancel()


def _commit_alone(group: Sequence[Job]) -> None:
    """Each item by itself: one of them poisons the group."""
    for job in group:
        try:
            job.result = _store(_only(job))[0]
        except ItemError as error:
            job.error = _cause(error)
        except (OperationalError, InterfaceError) as error:
            job.error = refusal(error)
        except Exception as error:
            log.exception("item not stored")
            job.error = error


def _only(job: Job) -> Items:
    return lambda: [job.item]


def _cause(error: ItemError) -> Exception:
    return error.__cause__ if isinstance(error.__cause__, Exception) else error


def _store(items: Items) -> list[Stored]:
    """One transaction; again after a deadlock, and once on a new connection. `items` is asked when the transaction has
    begun, which on SQLite may wait for the writers before us."""
    for tries in range(DEADLOCK_TRIES):
        connection.close_if_unusable_or_obsolete()
        try:
            with transaction.atomic():
                return store_group(items())
        except (OperationalError, InterfaceError) as error:
            if not _is_deadlock(error):
                connection.close()
                if tries:
                    raise
            elif tries == DEADLOCK_TRIES - 1:
                raise
            time.sleep(0.002 * tries)
    raise MailError(ErrorKind.UNAVAILABLE)


def _is_deadlock(error: DatabaseError | InterfaceError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in _DEADLOCK_STATES


def _fail(group: Sequence[Job], error: Exception) -> None:
    for job in group:
        if job.result is None and job.error is None:
            job.error = error


_writer = Writer()


def deliver(item: Incoming[Any]) -> concurrent.futures.Future[Stored]:
    """Queue `item` for the next group. Done = committed. Fails with MailError UNAVAILABLE when the database can't."""
    future: concurrent.futures.Future[Stored] = concurrent.futures.Future()
    _writer.put(item, future)
    return future


def deliver_async(item: Incoming[Any]) -> asyncio.Future[Stored]:
    """`deliver` for the running event loop."""
    future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
    _writer.put_in_turn(item, future)
    return future


def drain() -> None:
    """Commit what is queued and close the writer's connection; the next `deliver` starts anew."""
    _writer.drain()


def _forget() -> None:
    """In a forked child there is no thread, and the parent's queue is not ours."""
    global _writer  # noqa: PLW0603 - one writer for each process
    _writer = Writer()


atexit.register(drain)
os.register_at_fork(after_in_child=_forget)
