"""Stopping mail while it is still ours (取消发送): taking it back to write on, or keeping it from those who have not
got it yet; and the opposite, sending at once what waits for its time.
"""

from __future__ import annotations

import dataclasses
import time

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Account
from core.access import Access, Right
from core.errors import ErrorKind, MailError
from core.jobs import wake_on_commit
from mailstore import blobs
from mta.models import GATED, KEPT, Approval, Delivery, Submission
from mta.services.giving_back import give_back, stop
from mta.services.release import release

State = Delivery.State
WAITING = (State.QUEUED, State.DEFERRED)
"""Handed over, but with nobody: no worker has them under way."""


@dataclasses.dataclass(frozen=True, slots=True)
class Stopped:
    """`draft_id` is what may be written on, when nothing had left; `recipients` are those who get nothing now; `left` is
    how many have it already or are being sent to at this moment."""

    recipients: list[str]
    left: int = 0
    draft_id: int | None = None


def take_back(access: Access, submission_id: int) -> int:
    """Stop a submission of which nothing has left; the id of its draft, which lies in 草稿箱 again.

    Raises NOT_FOUND for a stranger's, IN_USE when it is too late.
    """
    access.require(Right.SEND)
    submission = _own(access, submission_id)
    raw = blobs.get(submission.sent_blob_id or submission.wire_blob_id)
    with transaction.atomic():
        rows = list(_of(submission).filter(state__in=GATED).select_for_update())
        if not rows:
            raise MailError(ErrorKind.IN_USE)
        waiting = Approval.objects.filter(submission=submission, state=Approval.State.PENDING)
        waiting.update(state=Approval.State.WITHDRAWN, decided_us=time.time_ns() // 1000, remind_us=0)
        return give_back(submission, rows, raw)


def cancel(access: Access, submission_id: int) -> Stopped:
    """Stop whatever of a submission is still ours. NOT_FOUND for a stranger's, IN_USE when all of it has left."""
    access.require(Right.SEND)
    submission = _own(access, submission_id)
    if submission.is_gated:
        recipients = list(_of(submission).values_list("recipient", flat=True))
        return Stopped(recipients, draft_id=take_back(access, submission_id))
    with transaction.atomic():
        rows = list(_of(submission).filter(state__in=WAITING).select_for_update())
        if not rows:
            raise MailError(ErrorKind.IN_USE)
        stop(submission, rows)
    return Stopped([row.recipient for row in rows], _of(submission).count() - len(rows))


def send_now(access: Access, submission_id: int) -> None:
    """Send what waits for its time, what was kept when that came (it is then sent by whoever says so now), or try again
    what waits for its next attempt. NOT_FOUND; NO_PERMISSION (`suspended`) while the mailbox's account is not in force;
    IN_USE when nothing of it waits, or when it waits for somebody's decision."""
    access.require(Right.SEND)
    submission = _own(access, submission_id)
    now_us = time.time_ns() // 1000
    if submission.is_gated:
        _require_in_force(submission.mailbox_id)
        early = Submission.objects.filter(pk=submission.pk, is_gated=True)
        early.filter(schedule_us__gt=now_us).update(schedule_us=now_us)
        _let_go(access, submission, now_us)
        if not release(submission.pk):
            raise MailError(ErrorKind.IN_USE)
        return
    with transaction.atomic():
        if (
            not _of(submission)
            .filter(state__in=WAITING, on_hold=False)
            .update(next_attempt_us=now_us, updated_us=now_us)
        ):
            raise MailError(ErrorKind.IN_USE)
        wake_on_commit("mta.send_due")


def _require_in_force(mailbox_id: int) -> None:
    owner = Account.objects.select_related("domain").filter(pk=mailbox_id).first()
    if owner is not None and not owner.is_in_force:
        raise MailError(ErrorKind.NO_PERMISSION, field="suspended", address=owner.address)


@transaction.atomic
def _let_go(access: Access, submission: Submission, now_us: int) -> None:
    """Kept mail is due again, and the mail of whoever lets it go."""
    kept = _of(submission).filter(KEPT)
    if kept.update(on_hold=False, next_attempt_us=now_us, updated_us=now_us) and access.actor:
        Submission.objects.filter(pk=submission.pk).update(actor_id=access.actor)


def _own(access: Access, submission_id: int) -> Submission:
    found = Submission.objects.filter(pk=submission_id, mailbox_id=access.mailbox).first()
    if found is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return found


def _of(submission: Submission) -> QuerySet[Delivery]:
    return Delivery.objects.filter(submission=submission)
