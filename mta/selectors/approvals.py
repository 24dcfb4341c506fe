"""Mail that waits for somebody's agreement, and the log of what was decided (19.1.5 of the manual)."""

from __future__ import annotations

import datetime
import functools
import operator
from collections.abc import Sequence

from django.db.models import Q

from accounts.models import Account
from core.errors import ErrorKind, MailError
from core.times import micros
from mailstore import blobs
from mta.approval.deciding import may_decide
from mta.models import Approval
from mta.selectors.log_pages import LogPage, Where, log_page

PENDING_MAX = 200


def pending_for(actor: Account) -> list[Approval]:
    """What waits for somebody's decision, oldest first; one query."""
    asked = Q(approver_id=actor.pk) | Q(substitute_id=actor.pk)
    rows = Approval.objects.filter(asked, state=Approval.State.PENDING).select_related("submission")
    return [each for each in rows.order_by("requested_us")[:PENDING_MAX] if may_decide(each, actor)]


def is_approver(account_id: int) -> bool:
    """Whether anything waits for somebody: for drawing a page; one query."""
    asked = Q(approver_id=account_id) | Q(substitute_id=account_id)
    return Approval.objects.filter(asked, state=Approval.State.PENDING).exists()


def approval(actor: Account, approval_id: int) -> Approval:
    """One that somebody is or was asked about; NOT_FOUND for anybody else."""
    asked = Q(approver_id=actor.pk) | Q(substitute_id=actor.pk)
    found = Approval.objects.filter(asked, pk=approval_id).select_related("submission").first()
    if found is None or found.submission is None or actor.pk in {found.sender_id, found.submission.actor_id}:
        raise MailError(ErrorKind.NOT_FOUND)
    return found


def content(found: Approval) -> bytes:
    """The mail as its author sees it, while it waits; NOT_FOUND once it is decided: who was asked is no monitor."""
    if found.state != Approval.State.PENDING or found.submission is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return blobs.get(found.submission.sent_blob_id or found.submission.wire_blob_id)


def approval_log(
    actor: Account,
    where: Where,
    *,
    state: str = "",
    period: Sequence[datetime.datetime | None] = (None, None),
    as_approver: bool = False,
    size: int,
) -> LogPage[Approval]:
    """A page of one's own mail that needed agreement and of what one was asked about, newest first; `as_approver` the
    latter alone. A query for each of the three parts, and one that counts."""
    rows = Approval.objects.filter(state=state) if state else Approval.objects.all()
    since, until = period
    if since is not None:
        rows = rows.filter(requested_us__gte=micros(since))
    if until is not None:
        rows = rows.filter(requested_us__lt=micros(until))
    parts = [Q(approver_id=actor.pk), Q(substitute_id=actor.pk), *([] if as_approver else [Q(sender_id=actor.pk)])]
    every = rows.filter(functools.reduce(operator.or_, parts))
    return log_page([rows.filter(part) for part in parts], every, ("-requested_us", "-id"), where, size)
