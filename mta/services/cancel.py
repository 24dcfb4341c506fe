"""Stopping mail while it is still ours (取消发送): taking it back to write on, or keeping it from those who have not
got it yet; and the opposite, sending at once what waits for its time.
"""

from __future__ import annotations

import dataclasses
import time

from django.db import transaction
from django.db.models import QuerySet

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from core.jobs import wake_on_commit
from mailstore import blobs
from mailstore.message import Address, format_address, read
from mailstore.models import Flag, Role
from mailstore.services import drafts
from mailstore.services.deliver import Incoming, Placement, prepare, store
from mta.models import GATED, Delivery, Submission
from mta.services.outcome import log_delivery
from mta.services.release import release
from mta.steps import Outcome, tell_outcome

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
    prepared = prepare(raw) if submission.draft_id is None else None
    with transaction.atomic():
        rows = list(_of(submission).filter(state__in=GATED).select_for_update())
        if not rows:
            raise MailError(ErrorKind.IN_USE)
        _stop(submission, rows)
        submission.is_gated = False
        submission.save(update_fields=["is_gated"])
        if prepared is None:
            drafts.show_snapshot(access, submission.draft_id or 0, raw)
            return int(submission.draft_id or 0)
        mine = Placement(submission.mailbox_id, role=Role.DRAFTS, flags=int(Flag.SEEN | Flag.DRAFT))
        entry_id = store([Incoming(prepared, [mine])])[0].entry_ids[submission.mailbox_id]
    draft_id = drafts.draft_of_entry(access, entry_id)
    _restore_bcc(access, draft_id, raw, [row.recipient for row in rows])
    return draft_id


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
        _stop(submission, rows)
    return Stopped([row.recipient for row in rows], _of(submission).count() - len(rows))


def send_now(access: Access, submission_id: int) -> None:
    """Send what waits for its time, or try again what waits for its next attempt. NOT_FOUND; IN_USE when nothing of it
    waits, or when it waits for somebody's decision."""
    access.require(Right.SEND)
    submission = _own(access, submission_id)
    now_us = time.time_ns() // 1000
    if submission.is_gated:
        early = Submission.objects.filter(pk=submission.pk, is_gated=True)
        early.filter(schedule_us__gt=now_us).update(schedule_us=now_us)
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


def _own(access: Access, submission_id: int) -> Submission:
    found = Submission.objects.filter(pk=submission_id, mailbox_id=access.mailbox).first()
    if found is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return found


def _of(submission: Submission) -> QuerySet[Delivery]:
    return Delivery.objects.filter(submission=submission)


def _stop(submission: Submission, rows: list[Delivery]) -> None:
    now_us = time.time_ns() // 1000
    for row in rows:
        row.state, row.claimed_until_us, row.updated_us = State.CANCELLED, 0, now_us
    Delivery.objects.bulk_update(rows, ["state", "claimed_until_us", "updated_us"])
    for row in rows:
        log_delivery(submission, row.recipient, state=State.CANCELLED, code="", text="")
        tell_outcome(Outcome(submission.pk, row.recipient, State.CANCELLED, "", ""))


def _restore_bcc(access: Access, draft_id: int, raw: bytes, recipients: list[str]) -> None:
    """Those whom the envelope named and no field does (a mail program keeps its Bcc to itself)."""
    readable, draft = read(raw), drafts.get_draft(access, draft_id)
    named = {each.address.lower() for each in (*readable.to, *readable.cc, *readable.bcc)}
    hidden = [format_address(Address("", each)) for each in recipients if each.lower() not in named]
    if hidden:
        bcc = ", ".join([*([draft.bcc] if draft.bcc else []), *hidden])
        drafts.save_draft(access, draft_id, draft.revision, drafts.content_of(draft, bcc=bcc))
