"""One run: players play, now and then everybody rests and what they believe is compared; imapd dies in between."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from webmail.stress.ledger import Ledger, ViolationError, claim
from webmail.stress.mirror import Mirror
from webmail.stress.player import BOXES, Player, codes
from webmail.stress.responses import MalformedResponseError, atom, pairs
from webmail.stress.session import Login, Session

REST_EVERY_S = 2.0
REST_WAIT_S = 90.0

Interrupt = Callable[[Callable[[], None]], Awaitable[None]]
"""Calls what it is given when the server is dead, before it starts again."""


async def run(
    login: Login, *, seconds: float, seed: int, clients: int, interrupt: Interrupt | None = None
) -> tuple[Ledger, list[str]]:
    """Play; the ledger, and what was broken (the first thing of each client, with the last lines of its dialogue).
    `interrupt` is awaited between two rests: it may kill the server and start it again."""
    ledger = Ledger()
    players = [Player(login, ledger, random.Random(f"{seed}.{number}"), f"c{number}") for number in range(clients)]
    tasks = [asyncio.ensure_future(player.play()) for player in players]
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    broken: list[str] = []
    try:
        while loop.time() < end and not broken:
            for player in players:
                player.resting.set()
            await _pause(tasks, min(REST_EVERY_S, max(0.1, end - loop.time())))
            if interrupt is not None:
                await interrupt(ledger.killed)
            for player in players:
                player.resting.clear()
            broken = _broken(players, tasks) or await _rest(login, ledger, players, tasks)
    finally:
        for player in players:
            player.stopping = True
            player.leave()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return ledger, broken


async def _pause(tasks: Sequence[asyncio.Task[None]], seconds: float) -> None:
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)


def _broken(players: Sequence[Player], tasks: Sequence[asyncio.Task[None]]) -> list[str]:
    """What the clients complained of."""
    found = []
    for player, task in zip(players, tasks, strict=True):
        error = task.exception() if task.done() and not task.cancelled() else None
        if error is not None:
            found.append(_told(player, error))
    return found


def _told(player: Player, error: BaseException) -> str:
    said = [line.decode("utf-8", "backslashreplace") for line in player.session.wire.said] if player.session else []
    return f"{player.name}: {type(error).__name__}: {error}\n" + "\n".join(line.rstrip() for line in said)


async def _rest(
    login: Login, ledger: Ledger, players: Sequence[Player], tasks: Sequence[asyncio.Task[None]]
) -> list[str]:
    """Wait until nobody does anything, then compare."""
    waits = [asyncio.ensure_future(player.rested.wait()) for player in players]
    both = [
        asyncio.ensure_future(asyncio.wait({wait, task}, return_when=asyncio.FIRST_COMPLETED))
        for wait, task in zip(waits, tasks, strict=True)
    ]
    await asyncio.wait(both, timeout=REST_WAIT_S)
    for wait in waits:
        wait.cancel()
    stuck = [player.name for player in players if not player.rested.is_set()]
    broken = _broken(players, tasks)
    if stuck or broken:
        return broken or [f"{stuck} did not come to rest"]
    try:
        await _compare(login, ledger, players)
    except (ViolationError, MalformedResponseError) as error:
        return [f"at rest: {error}"]
    ledger.counts["compared"] += 1
    return []


async def _compare(login: Login, ledger: Ledger, players: Sequence[Player]) -> None:
    truth = {box: await _truth(login, ledger, box) for box in BOXES}
    for box, mirror in truth.items():
        ledger.at_rest(box, {each.uid for each in mirror.messages})
    for player in players:
        session = player.session
        if session is None or session.mirror is None:
            continue
        try:
            await session.ok(b"NOOP")
            await _learn(session)
        except (ConnectionError, asyncio.IncompleteReadError):
            player.leave()  # the server was killed
            continue
        except ViolationError as error:
            raise ViolationError(_told(player, error)) from None
        try:
            _same(session.mirror, truth[session.mirror.box])
        except ViolationError as error:
            raise ViolationError(_told(player, error)) from None
        player.keep()


async def _learn(session: Session) -> None:
    """The UIDs of what came since; the flags stay as they were told."""
    assert session.mirror is not None
    first = next((at for at, each in enumerate(session.mirror.messages, 1) if not each.uid), 0)
    if first:
        await session.ok(b"FETCH %d:* (UID FLAGS)" % first)


def _same(believed: Mirror, truth: Mirror) -> None:
    claim(believed.uids == truth.uids, f"{believed.box}: believes {believed.uids}, really {truth.uids}")
    recent = sum(each.recent is True for each in believed.messages)
    is_known = believed.recent is not None and all(each.recent is not None for each in believed.messages)
    claim(not is_known or believed.recent == recent, f"{believed.box}: RECENT {believed.recent}, {recent} are marked")
    for mine, real in zip(believed.messages, truth.messages, strict=True):
        wrong = mine.flags is not None and mine.flags != real.flags
        claim(not wrong, f"{believed.box} {mine.uid}: believes {mine.flags}, really {real.flags} ({real.modseq})")


async def _truth(login: Login, ledger: Ledger, box: str) -> Mirror:
    """The folder as a new connection finds it, its counters compared with its messages."""
    session = await Session.open(login, ledger, "CONDSTORE")
    try:
        session.mirror = mirror = Mirror(box, ledger, server=session.server)
        await session.say([f"CREATE {box}".encode()])
        await session.ok(f"SELECT {box}".encode())
        highest = codes(session.heard)[b"HIGHESTMODSEQ"]
        if mirror.messages:
            await session.ok(b"FETCH 1:* (UID FLAGS MODSEQ BODY.PEEK[HEADER.FIELDS (X-Marker)])")
        claim(all(each.uid for each in mirror.messages), f"{box}: EXISTS says {len(mirror.messages)}")
        claim(all(each.modseq <= highest for each in mirror.messages), f"{box}: HIGHESTMODSEQ {highest} is too low")
        await session.ok(f"STATUS {box} (MESSAGES UIDNEXT UNSEEN)".encode())
        told = next(pairs(each.values[2]) for each in session.heard if each.name == b"STATUS")
        counted = {name: int(atom(value)) for name, value in told.items()}
        unseen = sum(b"\\Seen" not in (each.flags or ()) for each in mirror.messages)
        claim(counted[b"MESSAGES"] == len(mirror.messages), f"{box}: {counted} for {len(mirror.messages)}")
        claim(counted[b"UNSEEN"] == unseen, f"{box}: {counted}, {unseen} are unseen")
        claim(all(each < counted[b"UIDNEXT"] for each in mirror.uids), f"{box}: {counted} for {mirror.uids}")
        return mirror
    finally:
        session.wire.close()
