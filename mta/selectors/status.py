"""投递状态 (18.4.3, 19.1.3 of the manual): what has become of sent mail, recipient by recipient."""

from __future__ import annotations

import dataclasses
import datetime
import time
from collections.abc import Sequence

from django.db.models import Q, QuerySet

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from core.times import micros
from mta.models import Delivery, Recall, RecallOutcome, Submission
from mta.selectors.deliveries import DeliveryRow, rows_of
from mta.selectors.log_pages import LogPage, Where, log_page
from mta.services.recall import may_recall

STATUS_DAYS, LOG_DAYS = 30, 90
"""How long the button answers, and how long the log does."""
DAY_US = 86_400_000_000
SHOWN_MAX = 500
"""Recipients on one page."""


@dataclasses.dataclass(frozen=True, slots=True)
class RecallRow:
    """What a recall came to for one copy; `result` is a RecallOutcome.Result."""

    recipient: str
    address: str
    result: str


@dataclasses.dataclass(frozen=True, slots=True)
class Status:
    """One sent mail. `may_recall` says whether its author may still ask for it back; `recalls` is None where nobody
    has, and `is_recalling` while that is being done."""

    submission_id: int
    subject: str
    sent_us: int
    entry_id: int | None
    rows: list[DeliveryRow]
    total: int
    may_recall: bool
    recalls: list[RecallRow] | None
    is_recalling: bool


def status(access: Access, submission_id: int) -> Status:
    """What has become of a mail of `access.mailbox`; NOT_FOUND for a stranger's, and for one that is not followed, was
    scheduled, or is older than STATUS_DAYS. Five queries."""
    access.require(Right.READ)
    submission = _followed(access).filter(pk=submission_id).first()
    if submission is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return _status(submission)


def owner_of(submission_id: int) -> int:
    """Whose mail it is, for the edge that asks what the reader may do there; NOT_FOUND."""
    found = Submission.objects.filter(pk=submission_id).values_list("mailbox_id", flat=True).first()
    if found is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return int(found)


def status_of_entry(access: Access, entry_id: int) -> Status | None:
    """The same by the mail in 已发送; None where there is none. One query when there is none."""
    access.require(Right.READ)
    submission = _followed(access).filter(sent_entry_id=entry_id).first()
    return _status(submission) if submission is not None else None


def delivery_log(
    access: Access, where: Where, *, since: datetime.datetime | None, until: datetime.datetime | None, size: int
) -> LogPage[Delivery]:
    """A page of the log of a mailbox, newest first: mail that was followed when it was sent, of the last LOG_DAYS days;
    each row with its submission. Two queries."""
    access.require(Right.READ)
    rows = Delivery.objects.filter(submission__mailbox_id=access.mailbox, submission__is_followed=True)
    rows = rows.filter(submission__created_us__gte=_now_us() - LOG_DAYS * DAY_US)
    if since is not None:
        rows = rows.filter(submission__created_us__gte=micros(since))
    if until is not None:
        rows = rows.filter(submission__created_us__lt=micros(until))
    order = ("-submission__created_us", "-submission_id", "id")
    return log_page([rows.select_related("submission")], rows, order, where, size)


def _followed(access: Access) -> QuerySet[Submission]:
    recent = Q(created_us__gte=_now_us() - STATUS_DAYS * DAY_US)
    return Submission.objects.filter(recent, mailbox_id=access.mailbox, is_followed=True, schedule_us=0)


def _status(submission: Submission) -> Status:
    asked = Recall.objects.filter(submission=submission).order_by("pk").last()
    return Status(
        submission_id=submission.pk,
        subject=submission.subject,
        sent_us=max(submission.created_us, submission.release_us),
        entry_id=submission.sent_entry_id,
        rows=rows_of(submission.pk, limit=SHOWN_MAX),
        total=Delivery.objects.filter(submission=submission).count(),
        may_recall=may_recall(submission, _now_us()) and (asked is None or asked.is_admin),
        recalls=_recalls(asked.outcomes.order_by("pk")[:SHOWN_MAX]) if asked is not None else None,
        is_recalling=asked is not None and asked.finished_us is None,
    )


def _recalls(outcomes: Sequence[RecallOutcome] | QuerySet[RecallOutcome]) -> list[RecallRow]:
    return [RecallRow(each.recipient, each.address, each.result) for each in outcomes]


def _now_us() -> int:
    return time.time_ns() // 1000
