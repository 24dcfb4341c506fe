"""Synchronous database work for asyncio code, in one bounded pool per process.

asgiref's default runs all synchronous code of a process on one thread, which would make every client
wait for every other. Connections of the pool's threads persist; a broken one is dropped after its call.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import close_old_connections, connections

CLOSE_S = 10.0

P = ParamSpec("P")
T = TypeVar("T")


@functools.cache
def pool() -> concurrent.futures.ThreadPoolExecutor:
    """The database threads of this process (`settings.DB_THREADS` of them)."""
    return concurrent.futures.ThreadPoolExecutor(settings.DB_THREADS, thread_name_prefix="db")


async def run(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Await `function(*args, **kwargs)` on a database thread."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(pool(), functools.partial(_with_fresh_connection, function, *args, **kwargs))


def _with_fresh_connection(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    close_old_connections()
    return function(*args, **kwargs)


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
