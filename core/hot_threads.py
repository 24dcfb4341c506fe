"""Threads of which the one that worked last works next.

A thread's database connection remembers pages and statements; the pages are worthless to SQLite as soon as another
connection wrote. `ThreadPoolExecutor` wakes whichever thread waits longest, so one client that writes finds a cold connection
each time.
"""

from __future__ import annotations

import collections
import functools
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Tell = Callable[[], None]
Task = Callable[[], Tell]
"""Work, which gives back what tells its result."""


class HotThreads(Executor):
    """At most `most` daemon threads, each started when all others are busy. As `ThreadPoolExecutor`."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._idle: list[SimpleQueue[Task | None]] = []
        """Of each waiting thread what wakes it; the one that worked last is at the end."""
        self._waiting: collections.deque[tuple[Future[Any] | None, Task]] = collections.deque()
        self._is_closed = False

    def __len__(self) -> int:
        """Threads that were started."""
        return len(self._threads)

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have `function` called. RuntimeError after `shutdown`."""
        future: Future[T] = Future()

        def task() -> Tell:
            return _called(future, function, *args, **kwargs)

        self._take(future, task)
        return future

    def hand(self, task: Task) -> None:
        """As `submit`, without a future: what the task gives back is called when its thread is ready for more. Neither
        raises."""
        self._take(None, task)

    def _take(self, future: Future[Any] | None, task: Task) -> None:
        with self._lock:
            if self._is_closed:
                raise RuntimeError("no work is taken after shutdown")
            if self._idle:
                self._idle.pop().put(task)
            elif len(self._threads) < self._most:
                self._start(task)
            else:
                self._waiting.append((future, task))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take nothing any more; end the threads when what was submitted is done, or cancelled if it was not begun."""
        with self._lock:
            self._is_closed = True
            cancelled = [future for future, _ in self._waiting if future is not None] if cancel_futures else []
            for wake in self._idle:
                wake.put(None)
            self._idle.clear()
        for future in cancelled:
            future.cancel()  # its turn comes and is nothing
        if wait:
            for thread in self._threads:
                thread.join()

    def _start(self, task: Task) -> None:
        name = f"{self._name}_{len(self._threads)}"
        thread = threading.Thread(target=self._work, args=(task,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self, task: Task | None) -> None:
        wake: SimpleQueue[Task | None] = SimpleQueue()
        while task is not None:
            tell = task()
            # Ready for more before anybody hears of the result: what he asks for next comes to this thread again.
            task = self._next(wake)
            tell()
            del tell
            task = task or wake.get()

    def _next(self, wake: SimpleQueue[Task | None]) -> Task | None:
        """What waited longest; without any the thread is idle, and `wake` will tell."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()[1]
            if self._is_closed:
                wake.put(None)
            else:
                self._idle.append(wake)
            return None


def _called(future: Future[Any], function: Callable[..., Any], *args: Any, **kwargs: Any) -> Tell:
    if not future.set_running_or_notify_cancel():
        return nothing
    try:
        result = function(*args, **kwargs)
    except BaseException as error:
        return functools.partial(future.set_exception, error)
    return functools.partial(future.set_result, result)


def nothing() -> None:
    """Nobody waits for the result."""
