"""Sending what is due: claim, load, one lane for each destination, settle in groups. One run at a time in a process.

A run claims as long as there is room for more; transactions of all destinations go on beside each other, and what has
ended is written down in groups, as one transaction takes what the one before it left (as `mailstore.writer` does). A
destination with a backlog gives rows back to the queue instead of keeping others from being claimed.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Sequence

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError

from core import dbthread, metrics
from mta.outbound.client import transact
from mta.outbound.lane import Bounds, Lane
from mta.outbound.load import Group, load, read_message, read_seven_bit
from mta.outbound.protection import protected
from mta.outbound.queue import BATCH, CLAIM_S, Claimed, claim, due_releases, put_back, renew
from mta.outbound.relays import Relays, lane_key
from mta.outbound.result import Result, Verdict, for_all
from mta.outbound.routing import Hop, NoRoute, find_route, fixed_route
from mta.outbound.session import Session, UnreachableError, open_session
from mta.outbound.settle import Attempted, settle_all
from mta.services.keeping import keep_due
from mta.services.release import release
from mta.tls_reports.observed import Observations
from mta.wishes import NO_WISHES, Wishes

log = logging.getLogger(__name__)

IN_FLIGHT_MAX = 2_000
"""Deliveries claimed and not settled, in one run."""
CONNECTIONS_MAX = 200
LARGE_AT_ONCE = 4
TRANSACTION_S = CLAIM_S - 60
LATER_S = 20
"""When rows come due again that a busy destination has no room for."""
TICK_S = 1.0
SETTLE_MAX = 200
RENEWED_AFTER_S = 30
"""A claim that has waited longer is made anew before its transaction begins, which may last as long as a claim."""
SETTLE_AGAIN_S = (1, 4, 15, 40)
"""A database that is away for a moment must not make mail go twice."""

NO_SECRET = (Verdict.LATER, "4.3.5", "The smart host's password can't be read")

_running = threading.Lock()
_wanted = threading.Event()


def send_due() -> int:
    """Release what is due, send until nothing is due; how many deliveries were attempted. When this process is sending
    already, that run looks once more instead."""
    attempted = 0
    _wanted.set()
    while _wanted.is_set() and _running.acquire(blocking=False):
        try:
            _wanted.clear()
            _release_due()
            attempted += asyncio.run(Run().send_all())
        finally:
            _running.release()
    return attempted


def _release_due() -> None:
    """What may not leave is put by first, all of it: however much that is, it keeps no other mail waiting."""
    while due := due_releases(_now_us()):
        kept = keep_due(due)
        for submission_id in due:
            if submission_id not in kept:
                _release(submission_id)
        if not kept:
            return


def _release(submission_id: int) -> None:
    try:
        release(submission_id)
    except Exception:  # one mail's failure never touches its neighbours; the next sweep tries again
        log.exception("held mail not released", extra={"submission": submission_id})


class Run:
    """One run: its lanes live as long as it does."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._in_flight = 0
        self._connections = 0
        self._attempted = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._done: list[Attempted] = []
        self._settling: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)
        self._observed = Observations()

    async def send_all(self) -> int:
        """Until nothing is due and nothing is under way."""
        try:
            while True:
                room = min(BATCH, IN_FLIGHT_MAX - self._in_flight)
                claimed = await dbthread.run(claim, _now_us(), limit=room) if room > 0 else []
                if claimed:
                    await self._assign(claimed)
                    self._start()
                elif not self._in_flight:
                    return self._attempted
                if len(claimed) < room or room <= 0:
                    await self._wait()
        except Exception:
            await self._leave()
            raise
        finally:
            for lane in self._lanes.values():
                await lane.close()

    async def _leave(self) -> None:
        """Begin nothing more, and carry on to its end what is under way: a transaction that is broken off may have been
        accepted, and would be done again."""
        for lane in self._lanes.values():
            lane.waiting.clear()
        while self._tasks or self._settling is not None:
            await asyncio.wait({*self._tasks, *([self._settling] if self._settling is not None else [])})

    async def _wait(self) -> None:
        """Until something has ended, or a tick: then destinations that have become slow give their surplus back."""
        self._start()
        if not self._in_flight:
            return
        self._moved.clear()
        pace = min((lane.starts_in_s for lane in self._lanes.values() if lane.waiting), default=TICK_S)
        try:
            async with asyncio.timeout(min(TICK_S, max(pace, 0.01)) if pace else TICK_S):
                await self._moved.wait()
        except TimeoutError:
            pass
        for lane in self._lanes.values():
            await self._give_back(lane.surplus())
        self._start()

    async def _assign(self, claimed: Sequence[Claimed]) -> None:
        groups = await dbthread.run(load, claimed)
        relays = await dbthread.run(Relays.load, {group.submission.domain_id for group in groups})
        surplus = []
        for group in groups:
            group.relay = relays.of(group.submission.domain_id)
            if group.submission.domain_id in relays.unreadable:
                self._in_flight += len(group.deliveries)
                self._note(group, for_all(group.recipients, *NO_SECRET))
                continue
            lane = self._lane(group)
            if lane.room:
                lane.waiting.append(group)
                self._in_flight += len(group.deliveries)
            else:
                surplus.append(group)
        await self._put_back([each for group in surplus for each in group.deliveries])

    def _lane(self, group: Group) -> Lane:
        key = lane_key(group)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(Bounds.of(group.domain))
        return lane

    async def _give_back(self, groups: Sequence[Group]) -> None:
        self._in_flight -= sum(len(group.deliveries) for group in groups)
        await self._put_back([each for group in groups for each in group.deliveries])

    async def _put_back(self, deliveries: Sequence[Claimed]) -> None:
        by_claim: dict[int, list[Claimed]] = {}
        for delivery in deliveries:
            by_claim.setdefault(delivery.until_us, []).append(delivery)
        for claimed in by_claim.values():
            now_us = _now_us()
            await dbthread.run(put_back, claimed, now_us + LATER_S * 1_000_000, now_us)

    def _start(self) -> None:
        for lane in self._lanes.values():
            while lane.may_start and self._connections < CONNECTIONS_MAX:
                group = lane.take()
                self._connections += 1
                task = asyncio.create_task(self._carry(lane, group))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    # One transaction ------------------------------------------------------------------------------

    async def _carry(self, lane: Lane, group: Group) -> None:
        started = time.monotonic()
        try:
            results = await self._attempt(lane, group) if await self._is_ours(group) else []
        except DatabaseError:  # its rows are due again when the claim ends
            log.exception("deliveries not attempted", extra={"submission": group.submission.pk})
            results = group.known
        except Exception:  # one mail's failure never touches its neighbours; it is tried for as long as others are
            log.exception("deliveries not attempted", extra={"submission": group.submission.pk})
            results = _rest(group, "4.3.0", "Local error")
        finally:
            self._connections -= 1
            lane.finish()
        if results:
            metrics.observe("send_seconds", time.monotonic() - started)
        self._note(group, results)
        self._start()
        self._moved.set()

    async def _is_ours(self, group: Group) -> bool:
        """Whether anything of it is still claimed here; what is not leaves the group, and what is on hold goes back."""
        now_us = _now_us()
        if min(each.until_us for each in group.deliveries) - now_us > (CLAIM_S - RENEWED_AFTER_S) * 1_000_000:
            return True
        kept = await dbthread.run(renew, group.deliveries, now_us)
        ours = {each.id for each in kept}
        gone = [each for each in group.deliveries if each.id not in ours]
        self._in_flight -= len(gone)
        group.deliveries = kept
        await self._put_back(gone)
        return bool(kept)

    def _note(self, group: Group, results: Sequence[Result]) -> None:
        """To be written down; deliveries without a result are due again when their claim ends."""
        told = {each.recipient for each in results}
        done = [each for each in group.deliveries if each.recipient in told]
        self._in_flight -= len(group.deliveries) - len(done)
        if done:
            self._attempted += len(done)
            self._done.append(Attempted(group.submission, done, results, group.blob_id, group.original))
            if self._settling is None:
                self._settling = asyncio.create_task(self._settle())

    async def _attempt(self, lane: Lane, group: Group) -> list[Result]:
        why = lane.is_down()
        if why is not None:
            return for_all(group.recipients, why.verdict, why.code, why.text)
        try:
            async with asyncio.timeout(TRANSACTION_S):
                if group.message is not None:
                    return await self._try_route(lane, group, group.message)
                async with self._large:
                    return await self._try_route(lane, group, await dbthread.run(read_message, group))
        except TimeoutError:
            return _rest(group, "4.4.2", "The transaction took too long")

    async def _try_route(self, lane: Lane, group: Group, message: bytes) -> list[Result]:
        kept = None if group.wishes.require_tls else lane.idle_session()
        if kept is not None:
            results = await self._transact(lane, kept, group, message)
            if results is not None:
                return results
        route = lane.known_route()
        if route is None:
            fixed = settings.ROUTES.get(group.domain)
            route = [group.relay] if group.relay is not None and not fixed else await protected_route(group.domain)
            lane.keep_route(route)
        if isinstance(route, NoRoute):
            return for_all(group.recipients, route.verdict, route.code, route.text)
        last = UnreachableError("no server")
        for hop in route:
            try:
                session = await open_session(hop, require_tls=group.submission.require_tls)
            except UnreachableError as error:
                self._observed.note(group.domain, hop, error.failure)
                last = error
                continue
            self._observed.note(group.domain, hop, session.failure, is_tls=session.wire.tls is not None)
            return await self._transact(lane, session, group, message) or []
        return self._unreached(lane, group, last)

    def _unreached(self, lane: Lane, group: Group, last: UnreachableError) -> list[Result]:
        """Nobody could be talked to, or not as safely as the mail or the domain demands."""
        require_tls = group.submission.require_tls
        if require_tls and last.failure == "starttls-not-supported":
            return for_all(group.recipients, Verdict.REFUSED, "5.7.30", str(last))  # RFC 8689 4.2.1
        code = "4.7.5" if last.is_policy else "4.4.1"
        if not (require_tls and last.is_policy):  # others may be sent there less safely
            lane.mark_down(code, str(last))
        return for_all(group.recipients, Verdict.LATER, code, str(last))

    async def _transact(self, lane: Lane, session: Session, group: Group, message: bytes) -> list[Result] | None:
        """None: a kept connection turned out to be gone before anything was said on it."""
        is_kept = session.carried > 0
        group.known.clear()
        try:
            if not session.takes_8bit and not message.isascii():
                message = await dbthread.run(read_seven_bit, group)
            results = await transact(session, group.sender, group.recipients, message, group.wishes, known=group.known)
        except BaseException:
            session.wire.close()
            raise
        if is_kept and not session.is_usable and all(each.code == "4.4.2" for each in results) and not session.heard:
            return None
        if not session.is_usable and any(each.text.startswith("421 ") for each in results):
            lane.mark_down("4.3.2", results[0].text)
        if group.submission.require_tls:
            await session.leave()
        else:
            await lane.give_back(session)
        return results

    # Writing down ---------------------------------------------------------------------------------

    async def _settle(self) -> None:
        """Whatever has ended meanwhile, in one transaction after the other."""
        while self._done:
            batch, self._done = self._done[:SETTLE_MAX], self._done[SETTLE_MAX:]
            try:
                await self._write(batch)
                await dbthread.run(self._observed.write)
            except Exception:  # the rows are due again when their claims end
                log.exception("results not written")
            self._in_flight -= sum(len(each.deliveries) for each in batch)
            self._moved.set()
        self._settling = None

    async def _write(self, batch: Sequence[Attempted]) -> None:
        for pause_s in SETTLE_AGAIN_S:
            try:
                await dbthread.run(settle_all, batch)
            except (OperationalError, InterfaceError):
                log.warning("results wait for the database", exc_info=True)
                await asyncio.sleep(pause_s)
            else:
                return
        await dbthread.run(settle_all, batch)


def _rest(group: Group, code: str, text: str) -> list[Result]:
    """What is known already, and that the others are tried later."""
    known = {each.recipient for each in group.known}
    return [*group.known, *for_all([each for each in group.recipients if each not in known], Verdict.LATER, code, text)]


async def protected_route(domain: str) -> list[Hop] | NoRoute:
    """The servers of a domain as its policies want them used; routes of the operator's own are as they are."""
    route = await find_route(domain)
    if isinstance(route, NoRoute) or fixed_route(domain) or domain.startswith("["):
        return route
    return await protected(domain, route)


async def attempt(
    domain: str, sender: str, recipients: Sequence[str], message: bytes, wishes: Wishes = NO_WISHES
) -> list[Result]:
    """Try the servers of `domain` in order until one talks."""
    route = await protected_route(domain)
    if isinstance(route, NoRoute):
        return for_all(recipients, route.verdict, route.code, route.text)
    last = UnreachableError("no server")
    for hop in route:
        try:
            session = await open_session(hop, require_tls=wishes.require_tls)
        except UnreachableError as error:
            last = error
            continue
        try:
            return await transact(session, sender, recipients, message, wishes)
        finally:
            await session.leave()
    return for_all(recipients, Verdict.LATER, "4.4.1", str(last))


def _now_us() -> int:
    return time.time_ns() // 1000
