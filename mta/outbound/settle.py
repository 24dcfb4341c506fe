"""Writing down what an attempt came to: states, events, failure reports, in one transaction."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

from django.db import transaction

from mta.models import Delivery, Submission
from mta.outbound.queue import Claimed, is_too_old, next_attempt_us
from mta.outbound.result import Result, Verdict
from mta.services.failure import Failure, Success, confirm_to_sender, notify_sender
from mta.services.outcome import log_delivery
from mta.steps import Outcome, tell_outcome
from mta.wishes import RecipientWish

State = Delivery.State


def settle(submission: Submission, deliveries: Sequence[Claimed], results: Sequence[Result], message: bytes) -> None:
    """Record the results of claimed deliveries; those whose claim has passed to another worker are left alone."""
    now_us = time.time_ns() // 1000
    by_recipient = {result.recipient: result for result in results}
    failures: list[Failure] = []
    successes: list[Success] = []
    with transaction.atomic():
        for delivery in deliveries:
            result = _final(by_recipient[delivery.recipient], submission, now_us)
            if not _write(delivery, result, now_us):
                continue
            _tell(submission, result)
            wish = RecipientWish(delivery.notify, delivery.original)
            if result.verdict is Verdict.REFUSED:
                failures.append(Failure(result.recipient, result.code, result.text, result.host, wish))
            elif result.verdict is Verdict.ACCEPTED and not result.is_confirming:
                successes.append(Success(result.recipient, result.code, result.host, is_relayed=True, wish=wish))
        notify_sender(submission, message, failures)
        confirm_to_sender(submission, message, successes)


def _final(result: Result, submission: Submission, now_us: int) -> Result:
    """A delay that has lasted too long is a failure (RFC 3463 4.4.7)."""
    since_us = max(submission.created_us, submission.release_us)
    if result.verdict is Verdict.LATER and is_too_old(since_us, now_us):
        return dataclasses.replace(result, verdict=Verdict.REFUSED, code="4.4.7")
    return result


def _write(delivery: Claimed, result: Result, now_us: int) -> bool:
    states = {Verdict.ACCEPTED: State.ACCEPTED, Verdict.LATER: State.DEFERRED, Verdict.REFUSED: State.BOUNCED}
    ours = Delivery.objects.filter(pk=delivery.id, state=State.SENDING, claimed_until_us=delivery.until_us)
    changed = ours.update(
        state=states[result.verdict],
        code=result.code,
        text=result.text,
        remote_host=result.host[:255],
        next_attempt_us=next_attempt_us(now_us, delivery.tries),
        claimed_until_us=0,
        updated_us=now_us,
    )
    return changed == 1


def _tell(submission: Submission, result: Result) -> None:
    state = {Verdict.ACCEPTED: "accepted", Verdict.LATER: "deferred", Verdict.REFUSED: "bounced"}[result.verdict]
    log_delivery(submission, result.recipient, state=state, code=result.code, text=result.text, remote_host=result.host)
    if result.verdict is not Verdict.LATER:
        tell_outcome(Outcome(submission.pk, result.recipient, state, result.code, result.text))
