"""Signing in from an event loop: together where it is quick, else alone; what is recorded is shared in either case.

After a restart every program of a company signs in at once, and on any day they come and go. Those whose secret was right
lately are answered in groups (`accounts.sign_in_again`): one visit to a database thread, one question to Redis, one
commit. The others are looked up each on its thread, where a secret takes long to hash; their events are one commit with
those of all that are through by then. Who signs in hears of it after that commit.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from accounts.sasl import Door, Exchange
from accounts.sign_in import SignedIn
from accounts.sign_in_again import Answer, Asked, sign_in_again
from core import dbthread
from logs_app.services import NewEvent, record_groups, recording_apart

P = ParamSpec("P")
T = TypeVar("T")

TOGETHER_MAX = 16
"""Sign-ins of one visit: two milliseconds of a thread."""

Writer = dbthread.Gathered[Sequence[NewEvent], None]


@dataclasses.dataclass(frozen=True, slots=True)
class _Desk:
    """Of one event loop."""

    again: dbthread.Gathered[Asked, Answer]
    writer: Writer


_desks: WeakKeyDictionary[asyncio.AbstractEventLoop, _Desk] = WeakKeyDictionary()


async def sign_in(asked: Asked) -> SignedIn:
    """Who it is; raises SignInError (accounts.sign_in). What it records is committed either way."""
    answer = await _desk().again.ask(asked)
    if answer is None:
        return await _alone(asked.alone)
    if isinstance(answer, SignedIn):
        return answer
    raise answer


async def step(exchange: Exchange, door: Door, answer: bytes) -> bytes | SignedIn:
    """`exchange.step(answer)`; raises SignInError. What it records is committed either way."""
    login = exchange.login_of(answer)
    if login is not None:
        return await sign_in(Asked(login.name, login.secret, door.around))
    return await _alone(exchange.step, answer)


async def _alone(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    events: list[NewEvent] = []
    try:
        return await dbthread.run(_noting, events, function, *args, **kwargs)
    finally:
        if events:
            await _desk().writer.ask(events)


def _noting(events: list[NewEvent], function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    with recording_apart() as noted:
        try:
            return function(*args, **kwargs)
        finally:
            events += noted


def _desk() -> _Desk:
    loop = asyncio.get_running_loop()
    found = _desks.get(loop)
    if found is None:
        again = dbthread.Gathered(sign_in_again, most=TOGETHER_MAX)
        found = _desks[loop] = _Desk(again, dbthread.Gathered(record_groups))
    return found
