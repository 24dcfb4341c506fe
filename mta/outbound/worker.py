"""Sending what is due: claim, group by destination, sign, transact, settle. One event loop per run of the task."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import Sequence

from core import dbthread
from mailstore import blobs
from mta.models import Submission
from mta.outbound.client import UnreachableError, send
from mta.outbound.queue import BATCH, CLAIM_S, Claimed, by_destination, claim, due_releases
from mta.outbound.result import Result, Verdict, for_all
from mta.outbound.routing import NoRoute, find_route
from mta.outbound.settle import settle
from mta.outbound.signatures import signed
from mta.services.release import release
from mta.wishes import NO_WISHES, RecipientWish, Wishes

log = logging.getLogger(__name__)

CONNECTIONS = 20
"""Transactions under way at once in one run."""


@dataclasses.dataclass(frozen=True, slots=True)
class Load:
    """What one transaction carries."""

    submission: Submission
    message: bytes


def send_due() -> int:
    """Release what is due, send until nothing is due; how many deliveries were attempted."""
    for submission_id in due_releases(_now_us()):
        _release(submission_id)
    return asyncio.run(_send_all())


def _release(submission_id: int) -> None:
    try:
        release(submission_id)
    except Exception:  # one mail's failure never touches its neighbours; the next sweep tries again
        log.exception("held mail not released", extra={"submission": submission_id})


async def _send_all() -> int:
    attempted = 0
    slots = asyncio.Semaphore(CONNECTIONS)
    while claimed := await dbthread.run(claim, _now_us()):
        attempted += len(claimed)
        async with asyncio.TaskGroup() as group:
            for deliveries in by_destination(claimed):
                group.create_task(_send_alone(deliveries, slots))
        if len(claimed) < BATCH:
            break
    return attempted


async def _send_alone(deliveries: Sequence[Claimed], slots: asyncio.Semaphore) -> None:
    try:
        await _send_group(deliveries, slots)
    except Exception:  # one mail's failure never touches its neighbours; its rows are due again when the claim ends
        log.exception("deliveries not attempted", extra={"submission": deliveries[0].submission_id})


async def _send_group(deliveries: Sequence[Claimed], slots: asyncio.Semaphore) -> None:
    async with slots:
        load = await dbthread.run(_load, deliveries[0])
        if load is None:
            return
        recipients = [delivery.recipient for delivery in deliveries]
        try:
            async with asyncio.timeout(CLAIM_S - 60):
                results = await attempt(
                    deliveries[0].domain,
                    load.submission.envelope_from,
                    recipients,
                    load.message,
                    _wishes(load.submission, deliveries),
                )
        except TimeoutError:
            results = for_all(recipients, Verdict.LATER, "4.4.2", "The transaction took too long")
        await dbthread.run(settle, load.submission, deliveries, results, load.message)


def _wishes(submission: Submission, deliveries: Sequence[Claimed]) -> Wishes:
    wanted = {each.recipient.lower(): RecipientWish(each.notify, each.original) for each in deliveries}
    return Wishes(submission.returned, submission.envelope_id, submission.require_tls, wanted)


async def attempt(
    domain: str, sender: str, recipients: Sequence[str], message: bytes, wishes: Wishes = NO_WISHES
) -> list[Result]:
    """Try the servers of `domain` in order until one talks."""
    route = await find_route(domain)
    if isinstance(route, NoRoute):
        return for_all(recipients, route.verdict, route.code, route.text)
    last = UnreachableError("no server")
    for hop in route:
        try:
            return await send(hop, sender, recipients, message, wishes)
        except UnreachableError as error:
            last = error
    return for_all(recipients, Verdict.LATER, "4.4.1", str(last))


def _load(delivery: Claimed) -> Load | None:
    submission = Submission.objects.filter(pk=delivery.submission_id).first()
    if submission is None:
        return None
    message = blobs.get(delivery.blob_id or submission.wire_blob_id)
    return Load(submission, signed(message, envelope_from=submission.envelope_from, now_s=time.time()))


def _now_us() -> int:
    return time.time_ns() // 1000
