"""Group commit: one writer thread per process, with a database connection of its own.

It commits when it is idle and takes what has queued meanwhile as the next group, so a group needs no timer: alone, a
mail commits at once; under load a commit's fsync is shared. A group that fails is tried without the item that failed,
or item by item; an item's future resolves after the commit, never before. Do not wait for a future inside a
transaction: the writer would wait for yours.
"""

from __future__ import annotations

import atexit
import concurrent.futures
import logging
import os
import queue
import threading
import time
from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from core.errors import ErrorKind, MailError
from mailstore.services.store import Incoming, ItemError, Stored, store_group

GROUP_MAX = 64
"""Items of one group: 64 deliveries are about 10 ms."""
GROUP_MAX_BYTES = 4 << 20
IDLE_S = 5.0
"""A thread without work ends, and its connection with it."""
DEADLOCK_TRIES = 5
_DEADLOCK_STATES = frozenset({"40P01", "40001"})

log = logging.getLogger(__name__)

Job = tuple[Incoming[Any], "concurrent.futures.Future[Stored]"]


class Writer:
    """The queue and its thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def put(self, item: Incoming[Any]) -> concurrent.futures.Future[Stored]:
        """Queue an item; starts the thread when there is none."""
        future: concurrent.futures.Future[Stored] = concurrent.futures.Future()
        with self._lock:
            self._queue.put((item, future))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mail-writer", daemon=True)
                self._thread.start()
        return future

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
                try:
                    _commit(group)
                except Exception as error:  # the loop of this thread: whatever it is, the futures must hear of it
                    log.exception("writer")
                    _fail(group, error)
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
        size = group[0][0].prepared.size
        while len(group) < GROUP_MAX and size < GROUP_MAX_BYTES:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._queue.put(None)
                break
            group.append(job)
            size += job[0].prepared.size
        return group


def _commit(group: Sequence[Job]) -> None:
    """Store a group, or as much of it as can be stored."""
    left = [job for job in group if job[1].set_running_or_notify_cancel()]
    while left:
        try:
            results = _store([item for item, _ in left])
        except ItemError as error:
            _, future = left.pop(error.index)
            future.set_exception(error.__cause__ or error)
        except (OperationalError, InterfaceError) as error:
            log.warning("group not stored", extra={"error": str(error)})
            return _fail(left, MailError(ErrorKind.UNAVAILABLE, error=str(error)))
        except Exception as error:
            if len(left) == 1:
                return _fail(left, error)
            return _commit_alone(left)
        else:
            for (_, future), result in zip(left, results, strict=True):
                future.set_result(result)
            return None
    return None


def _commit_alone(group: Sequence[Job]) -> None:
    """Each item by itself: one of them poisons the group."""
    for item, future in group:
        try:
            future.set_result(_store([item])[0])
        except ItemError as error:
            future.set_exception(error.__cause__ or error)
        except (OperationalError, InterfaceError) as error:
            future.set_exception(MailError(ErrorKind.UNAVAILABLE, error=str(error)))
        except Exception as error:
            log.exception("item not stored")
            future.set_exception(error)


def _store(items: Sequence[Incoming[Any]]) -> list[Stored]:
    """One transaction; again after a deadlock, and once on a new connection."""
    for tries in range(DEADLOCK_TRIES):
        connection.close_if_unusable_or_obsolete()
        try:
            with transaction.atomic():
                return store_group(items)
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
    for _, future in group:
        if not future.done():
            future.set_exception(error)


_writer = Writer()


def deliver(item: Incoming[Any]) -> concurrent.futures.Future[Stored]:
    """Queue `item` for the next group. Done = committed. Fails with MailError UNAVAILABLE when the database can't."""
    return _writer.put(item)


def drain() -> None:
    """Commit what is queued and close the writer's connection; the next `deliver` starts anew."""
    _writer.drain()


def _forget() -> None:
    """In a forked child there is no thread, and the parent's queue is not ours."""
    global _writer  # noqa: PLW0603 - one writer for each process
    _writer = Writer()


atexit.register(drain)
os.register_at_fork(after_in_child=_forget)
