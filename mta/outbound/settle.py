"""Writing down what attempts came to: states, events, reports to authors. Many in one transaction.

The rows of all results are one statement each of a few sizes; what only some results need (a report to the author) is
done for those alone. When anything fails, each attempt is written in a transaction of its own, so that one mail's trouble
never touches its neighbours.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Iterator, Sequence

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from accounts.models import Account
from core import metrics
from core.bulk import executed
from logs_app.services import NewEvent, record_many
from mailstore import blobs
from mta.models import Delivery, Submission
from mta.outbound.queue import NEVER_US, Claimed, is_too_old, next_attempt_us
from mta.outbound.result import Result, Verdict
from mta.services.failure import Delay, Failure, Success, confirm_to_sender, notify_sender, tell_delay
from mta.services.outcome import delivery_event
from mta.steps import Outcome, tell_outcomes
from mta.wishes import RecipientWish

State = Delivery.State
STATES = {Verdict.ACCEPTED: State.ACCEPTED, Verdict.LATER: State.DEFERRED, Verdict.REFUSED: State.BOUNCED}
ROWS_MAX = 50
SECOND_US = 1_000_000

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Attempted:
    """One transaction's end. `original` gives the bytes that a report quotes."""

    submission: Submission
    deliveries: Sequence[Claimed]
    results: Sequence[Result]
    blob_id: int = 0
    made: Callable[[bytes], bytes] | None = None
    """What was made of the stored bytes for these recipients."""

    def original(self) -> bytes:
        """What was sent."""
        content = blobs.get(self.blob_id or self.submission.wire_blob_id)
        return self.made(content) if self.made else content


@dataclasses.dataclass(frozen=True, slots=True)
class _Row:
    """One delivery and what it came to."""

    attempted: Attempted
    delivery: Claimed
    result: Result

    @property
    def wish(self) -> RecipientWish:
        return RecipientWish(self.delivery.notify, self.delivery.original)


def settle_all(attempts: Sequence[Attempted]) -> None:
    """Record the results of claimed deliveries; those whose claim has passed to another worker are left alone. Raises
    OperationalError and InterfaceError: it is the database that has failed, and all may be recorded again."""
    try:
        with transaction.atomic():
            _settle(attempts)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        if len(attempts) == 1:
            raise
        for attempted in attempts:
            try:
                with transaction.atomic():
                    _settle([attempted])
            except (OperationalError, InterfaceError):
                raise
            except Exception:  # its rows are due again when the claim ends
                log.exception("results not written", extra={"submission": attempted.submission.pk})


def settle(submission: Submission, deliveries: Sequence[Claimed], results: Sequence[Result]) -> None:
    """`settle_all` for one transaction."""
    settle_all([Attempted(submission, deliveries, results)])


def _settle(attempts: Sequence[Attempted]) -> None:
    now_us = time.time_ns() // 1000
    written = _written(list(_rows(attempts, now_us)), now_us)
    owners = _owners({row.attempted.submission.mailbox_id for row in written})
    record_many([_event(row, owners) for row in written])
    _tell(written)
    for attempted in attempts:
        _report(attempted, [row for row in written if row.attempted is attempted], now_us)


def _rows(attempts: Sequence[Attempted], now_us: int) -> Iterator[_Row]:
    for attempted in attempts:
        by_recipient = {result.recipient: result for result in attempted.results}
        for delivery in attempted.deliveries:
            yield _Row(attempted, delivery, _final(by_recipient[delivery.recipient], attempted.submission, now_us))


def _final(result: Result, submission: Submission, now_us: int) -> Result:
    """A delay that has lasted too long is a failure (RFC 3463 4.4.7)."""
    if result.verdict is Verdict.LATER and is_too_old(_since_us(submission), now_us):
        return dataclasses.replace(result, verdict=Verdict.REFUSED, code="4.4.7")
    return result


def _since_us(submission: Submission) -> int:
    return max(submission.created_us, submission.release_us)


def _written(rows: Sequence[_Row], now_us: int) -> list[_Row]:
    """Write states; the rows whose claims were still ours."""
    ours: set[int] = set()
    for at in range(0, len(rows), ROWS_MAX):
        part = rows[at : at + ROWS_MAX]
        marks = ", ".join(["(%s, %s, %s, %s, %s, %s, %s)"] * len(part))
        values = [value for row in part for value in _values(row, now_us)]
        statement = (
            "UPDATE mta_delivery SET state = new.column3, code = new.column4, text = new.column5, "
            "remote_host = new.column6, claimed_until_us = 0, updated_us = %s, "
            f"next_attempt_us = CASE WHEN on_hold THEN {NEVER_US} ELSE new.column7 END "  # held while it was under way
            f"FROM (VALUES {marks}) AS new WHERE mta_delivery.id = new.column1 "
            "AND mta_delivery.state = 'sending' AND mta_delivery.claimed_until_us = new.column2 "
            "RETURNING mta_delivery.id"
        )
        with executed(statement, [now_us, *values]) as cursor:
            ours |= {row_id for (row_id,) in cursor.fetchall()}
    return [row for row in rows if row.delivery.id in ours]


def _values(row: _Row, now_us: int) -> list[object]:
    delivery, result = row.delivery, row.result
    return [
        delivery.id,
        delivery.until_us,
        str(STATES[result.verdict]),
        result.code[:12],
        _clean(result.text, 500),
        _clean(result.host, 255),
        next_attempt_us(now_us, delivery.tries),
    ]


def _clean(text: str, length: int) -> str:
    return text.replace("\0", "")[:length]


def _owners(mailboxes: set[int]) -> dict[int, tuple[str, int]]:
    rows = Account.objects.filter(pk__in=mailboxes).values_list("pk", "address", "domain_id")
    return {pk: (address, domain_id) for pk, address, domain_id in rows}


def _event(row: _Row, owners: dict[int, tuple[str, int]]) -> NewEvent:
    submission, result = row.attempted.submission, row.result
    return delivery_event(
        submission,
        result.recipient,
        owner=owners.get(submission.mailbox_id),
        state=str(STATES[result.verdict]),
        code=result.code,
        text=result.text,
        remote_host=result.host,
    )


def _tell(rows: Sequence[_Row]) -> None:
    ended = []
    for row in rows:
        result, submission, state = row.result, row.attempted.submission, str(STATES[row.result.verdict])
        metrics.count("deliveries", state=state)
        if result.verdict is not Verdict.LATER:
            said = (state, result.code, result.text)
            ended.append(Outcome(submission.pk, result.recipient, *said, submission.domain_id))
    if ended:
        tell_outcomes(ended)


def _report(attempted: Attempted, rows: Sequence[_Row], now_us: int) -> None:
    """What the author wants to hear; the mail is read again only when there is something to say."""
    submission = attempted.submission
    failures, successes, delays = [], [], []
    for row in rows:
        result = row.result
        if result.verdict is Verdict.REFUSED and row.wish.on_failure:
            failures.append(Failure(result.recipient, result.code, result.text, result.host, row.wish))
        elif result.verdict is Verdict.ACCEPTED and not result.is_confirming and row.wish.on_success:
            successes.append(Success(result.recipient, result.code, result.host, is_relayed=True, wish=row.wish))
        elif result.verdict is Verdict.LATER and row.wish.on_delay:
            delays.append(Delay(result.recipient, result.code, result.text, result.host, row.wish))
    if now_us - _since_us(submission) < settings.DELAY_NOTICE_S * SECOND_US:
        delays = []
    if delays:
        delays = _untold(submission, delays)
    says: list[tuple[Callable[..., None], Sequence[object]]] = [
        (notify_sender, failures),
        (confirm_to_sender, successes),
        (tell_delay, delays),
    ]
    if any(about for _, about in says):
        try:
            original = attempted.original()
        except Exception:  # bytes that can't be had must not keep their author from hearing of it
            log.exception("a report without its mail", extra={"submission": submission.pk})
            original = b""
        for say, about in says:
            if about:
                say(submission, original, about)


def _untold(submission: Submission, delays: Sequence[Delay]) -> list[Delay]:
    """Those that were not told before; from now on they are."""
    waiting = Delivery.objects.filter(
        submission=submission, recipient__in=[each.recipient for each in delays], delay_told=False
    )
    fresh = set(waiting.values_list("recipient", flat=True))
    waiting.update(delay_told=True)
    return [each for each in delays if each.recipient in fresh]
