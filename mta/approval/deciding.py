"""Agreeing and refusing: by people on a page or by a signed link, once; by the clock at the deadline.

A decision and what follows for the deliveries are one transaction; the mail then leaves at once, or when the sweep
finds it. What is refused becomes its author's draft again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Account
from core.errors import ErrorKind, MailError
from logs_app.models import Kind
from logs_app.services import record
from mailstore import blobs
from mailstore.services.deliver import store
from mta.alone import each_alone
from mta.approval.asking import ask_another, tell
from mta.models import Approval, Delivery
from mta.notices import notice
from mta.services.gates import Gate, advance
from mta.services.giving_back import give_back
from mta.services.release import release

State = Approval.State
log = logging.getLogger(__name__)

COMMENT_MAX = 500
SLICE = 100


def decide(approval_id: int, actor: Account, *, agrees: bool, comment: str = "") -> Approval:
    """Decide as approver or substitute. Raises NOT_FOUND for anybody else, IN_USE when it is decided already."""
    approval = Approval.objects.select_related("submission").filter(pk=approval_id).first()
    if approval is None or not may_decide(approval, actor):
        raise MailError(ErrorKind.NOT_FOUND)
    return _settle(approval, State.APPROVED if agrees else State.REFUSED, actor, comment.strip()[:COMMENT_MAX])


def may_decide(approval: Approval, actor: Account) -> bool:
    """Whether somebody is asked, and it is not his own mail."""
    if approval.submission is None:
        return False
    own = {approval.sender_id, approval.submission.actor_id}
    return actor.is_active and actor.pk in {approval.approver_id, approval.substitute_id} and actor.pk not in own


def tick(now_us: int) -> None:
    """Remind, ask others for those who are gone, and let the clock decide what has passed its deadline."""
    pending = Approval.objects.filter(state=State.PENDING)
    each_alone(pending.filter(remind_us__gt=0, remind_us__lte=now_us).order_by("remind_us", "pk")[:SLICE], _remind)
    active = Account.objects.filter(status=Account.Status.ACTIVE).values("pk")
    forsaken = pending.exclude(approver_id__in=active).exclude(substitute_id__in=active)
    each_alone(_each(forsaken), lambda approval: _ask_another(approval, now_us))
    for approval in _each(pending.filter(deadline_us__gt=0, deadline_us__lte=now_us)):
        try:
            _settle(approval, State.PASSED if approval.on_deadline == "pass" else State.EXPIRED, None, "")
        except MailError:
            continue  # withdrawn or decided at this moment
        except Exception:  # one mail's failure never touches its neighbours; the next tick tries again
            log.exception("deadline not obeyed", extra={"approval": approval.pk})


def _each(rows: QuerySet[Approval]) -> Iterator[Approval]:
    """All of them, in slices: some for which nothing can be done must not keep the clock from the others."""
    last = 0
    while found := list(rows.filter(pk__gt=last).select_related("submission").order_by("pk")[:SLICE]):
        last = found[-1].pk
        yield from found


def _settle(approval: Approval, state: str, actor: Account | None, comment: str) -> Approval:
    submission, now_us = approval.submission, time.time_ns() // 1000
    if submission is None:
        raise MailError(ErrorKind.IN_USE)
    raw = blobs.get(submission.sent_blob_id or submission.wire_blob_id)
    agreed = state in {State.APPROVED, State.PASSED}
    with transaction.atomic():
        rows = list(Delivery.objects.filter(submission=submission, state=Delivery.State.APPROVAL).select_for_update())
        ours = Approval.objects.filter(pk=approval.pk, state=State.PENDING)
        if not rows or not ours.update(state=state, decided_us=now_us, comment=comment, remind_us=0):
            raise MailError(ErrorKind.IN_USE)
        if actor is not None:
            Approval.objects.filter(pk=approval.pk).update(approver=actor.address)
        if agreed:
            # A schedule that lies ahead holds it on; one that is over, or none, opens at once.
            due_us = max(now_us, submission.schedule_us)
            advance(submission, rows, Gate(Delivery.State.SCHEDULED, due_us), now_us)
        else:
            give_back(submission, rows, raw)
        _record(approval, state, actor)
        approval.refresh_from_db()
        _tell_author(approval, agreed=agreed)
    if agreed and submission.schedule_us <= now_us:
        _release(submission.pk)
    return approval


def _release(submission_id: int) -> None:
    try:
        release(submission_id, passed=(Delivery.State.SCHEDULED,))
    except Exception:  # the decision stands; the sweep lets the mail go
        log.exception("approved mail not released", extra={"submission": submission_id})


@transaction.atomic
def _ask_another(approval: Approval, now_us: int) -> None:
    ask_another(approval, now_us)


def _remind(approval: Approval) -> None:
    with transaction.atomic():
        if not Approval.objects.filter(pk=approval.pk, state=State.PENDING, remind_us__gt=0).update(remind_us=0):
            return
        asked = Account.objects.select_related("domain").filter(pk__in=[approval.approver_id, approval.substitute_id])
        for reader in asked:
            if reader.is_active:
                tell(approval, reader, is_reminder=True)


def _record(approval: Approval, state: str, actor: Account | None) -> None:
    record(
        Kind.APPROVAL,
        domain_id=approval.domain_id,
        account_id=approval.sender_id,
        address=approval.sender,
        actor=actor.address if actor else "system",
        succeeded=state in {State.APPROVED, State.PASSED},
        data={"action": f"approval_{state}", "subject": approval.subject, "rule": approval.rule_name},
    )


def _tell_author(approval: Approval, *, agreed: bool) -> None:
    """Of a refusal always; of an agreement the mail itself tells."""
    author = Account.objects.select_related("domain").filter(pk=approval.sender_id).first()
    if agreed or author is None or author.status == Account.Status.ERASED:
        return

    def words() -> tuple[str, str]:
        subject = approval.subject or _("(no subject)")
        who = approval.approver if approval.state == State.REFUSED else _("the deadline")
        lines = [
            _("Your mail “%(subject)s” was not sent: it was rejected by %(who)s.") % {"subject": subject, "who": who},
            *([_("Comment: %s") % approval.comment] if approval.comment else []),
            _("It is in your Drafts again."),
        ]
        return _("Rejected: %s") % subject, "\n\n".join(lines)

    store([notice(author, words)])
