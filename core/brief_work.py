"""Short reading of many tasks in shared visits to a database thread.

A visit of its own costs more than a few queries: a thread is woken, and takes the interpreter from the loop and from its
siblings after every statement. Work that comes while a visit runs is the next visit, on one thread; alone it does not
wait. Only for what reads for a millisecond at most and waits for no lock: the others of its visit wait for it.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from django.db import DatabaseError, close_old_connections

from core import dbthread

P = ParamSpec("P")
T = TypeVar("T")

TOGETHER_MAX = 8

Done = tuple[Any, Exception | None]
"""What a piece of work gave, or what it raised."""

_lines: WeakKeyDictionary[asyncio.AbstractEventLoop, dbthread.Gathered[Callable[[], Any], Done]] = WeakKeyDictionary()


async def run_briefly(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """As `dbthread.run`, with the work of others. It is also done when the one who asked is gone."""
    loop = asyncio.get_running_loop()
    line = _lines.get(loop)
    if line is None:
        line = _lines[loop] = dbthread.Gathered(_all_done, most=TOGETHER_MAX)
    result, error = await line.ask(functools.partial(function, *args, **kwargs))
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]


def _all_done(work: Sequence[Callable[[], Any]]) -> list[Done]:
    return [_done(each) for each in work]


def _done(work: Callable[[], Any]) -> Done:
    try:
        return work(), None
    except Exception as error:
        if isinstance(error, DatabaseError):
            close_old_connections()  # a broken connection is this one's failure, not the next one's
        return None, error
