"""Signing in from an event loop: the look-up on a database thread, the record of it in one transaction with those of others.

After a restart every program of a company signs in at once. A thread that waited for the disk with one sign-in would keep
the others waiting: the events of all that are through by then are one commit. Who signs in hears of it after that commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from core import dbthread
from logs_app.services import NewEvent, record_groups, recording_apart

P = ParamSpec("P")
T = TypeVar("T")

Writer = dbthread.Gathered[Sequence[NewEvent], None]
_writers: WeakKeyDictionary[asyncio.AbstractEventLoop, Writer] = WeakKeyDictionary()


async def signing_in(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Await `function(*args, **kwargs)`, a step of signing in (accounts.sign_in, accounts.sasl), with what it records
    written, also when it raises."""
    events: list[NewEvent] = []
    try:
        return await dbthread.run(_noting, events, function, *args, **kwargs)
    finally:
        if events:
            await _writer().ask(events)


def _noting(events: list[NewEvent], function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    with recording_apart() as noted:
        try:
            return function(*args, **kwargs)
        finally:
            events += noted


def _writer() -> Writer:
    loop = asyncio.get_running_loop()
    found = _writers.get(loop)
    if found is None:
        found = _writers[loop] = dbthread.Gathered(record_groups)
    return found
