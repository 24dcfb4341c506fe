"""Synchronous database work for asyncio code, in one bounded pool per process.

asgiref's default runs all synchronous code of a process on one thread, which would make every client
wait for every other. Connections of the pool's threads persist; a broken one is dropped after its call.
"""

from __future__ import annotations

import asyncio
import atexit
import collections
import contextlib
import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, TypeVar, cast

from django.conf import settings
from django.db import close_old_connections, connections

from core.hot_threads import HotThreads, Tell, nothing

CLOSE_S = 10.0

P = ParamSpec("P")
T = TypeVar("T")
Q = TypeVar("Q")
A = TypeVar("A")


@functools.cache
def pool() -> HotThreads:
    """The database threads of this process (`settings.DB_THREADS` of them)."""
    threads = HotThreads(settings.DB_THREADS, "db")
    atexit.register(threads.shutdown)  # a process that ends waits for what it has begun
    return threads


async def run(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Await `function(*args, **kwargs)` on a database thread.

    As `run_in_executor`, without the second future that it makes and watches.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def task() -> Tell:
        if future.cancelled():
            return nothing
        try:
            close_old_connections()
            tell = functools.partial(_tell, loop, future, function(*args, **kwargs), None)
        except BaseException as error:
            tell = functools.partial(_tell, loop, future, None, error)
        return tell

    pool().hand(task)
    return await future


def _tell(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], result: Any, error: BaseException | None
) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
        loop.call_soon_threadsafe(_settle, future, result, error)


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():  # whoever asked has gone
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


class Gathered(Generic[Q, A]):
    """Questions of many tasks of one event loop, answered in groups: those that come while a group is on its database
    thread are the next one. Under load a question costs a part of a thread's turn and of a query; alone it does not wait.

    `answer` gives the answers in the order of the questions. When it raises, each question is asked alone, so that one
    that can't be answered is no one else's failure.
    """

    def __init__(self, answer: Callable[[Sequence[Q]], Sequence[A]], *, most: int = 64) -> None:
        self._answer = answer
        self._most = most
        self._waiting: collections.deque[tuple[Q, asyncio.Future[A]]] = collections.deque()
        self._runner: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """The answer; raises what `answer` raised for this question alone."""
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                group = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
                for (_, future), (answer, error) in zip(group, await self._answers(group), strict=True):
                    if future.done():  # whoever asked has gone
                        continue
                    if error is not None:
                        future.set_exception(error)
                    else:
                        future.set_result(cast("A", answer))
        finally:
            self._runner = None

    async def _answers(self, group: Sequence[tuple[Q, asyncio.Future[A]]]) -> list[tuple[A | None, Exception | None]]:
        try:
            return [(answer, None) for answer in await run(self._answer, [question for question, _ in group])]
        except Exception as error:
            if len(group) == 1:
                return [(None, error)]
        return [each for one in group for each in await self._answers([one])]


def close() -> None:
    """End the pool and close the connections of its threads (each can only be closed by its own); `run` starts anew."""
    if not pool.cache_info().currsize:
        return
    everybody = threading.Barrier(settings.DB_THREADS, timeout=CLOSE_S)
    for _ in range(settings.DB_THREADS):
        pool().submit(_leave, everybody)
    pool().shutdown()
    pool.cache_clear()


def _leave(everybody: threading.Barrier) -> None:
    connections.close_all()
    everybody.wait()  # so that no thread takes the task of another
