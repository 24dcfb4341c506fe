"""Mail that was to leave while its account is suspended or expired: it is kept, and leaves when its author says so.

It does not go by itself once the account is in force again. The hour its author chose is over then, perhaps by weeks, and
what was right to say may be wrong now; it may even be why he was suspended. It stands in his 待发送 and says so: send now,
edit, cancel. What comes due after his return leaves at its hour, as if nothing had been.

A kept delivery stays before its gate, on hold and never due, so the sweep looks at it once. Accounts are locked before
deliveries, as erasing does; a suspension is waited for, or comes after the mail has left.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Account
from core.access import system_access
from logs_app.models import Kind
from logs_app.services import NewEvent, record_many
from mailstore.services.drafts import hide_snapshot
from mta.models import GATED, Delivery, Submission
from mta.outbound.queue import NEVER_US

SYSTEM = Submission.Origin.SYSTEM


def keep_due(submission_ids: Sequence[int]) -> set[int]:
    """Of submissions whose gate is to open, keep those that may not leave; which. Two queries when all may, a few more
    otherwise, however many they are."""
    submissions = list(Submission.objects.filter(pk__in=submission_ids).exclude(origin=SYSTEM))
    known = {each.pk: each for each in _accounts(submissions)}
    doubtful = [each for each in submissions if _barred(each, known)]
    if not doubtful:
        return set()
    with transaction.atomic():
        return keep(doubtful)


def keep(submissions: Sequence[Submission]) -> set[int]:
    """Keep those whose account, or whoever sent it from another's mailbox, is not in force; which. To be called in the
    transaction that lets the others go, before it locks deliveries: the accounts stay as they are until it ends."""
    locked = _accounts(submissions).select_for_update(of=("self",), no_key=True)
    known = {each.pk: each for each in locked}
    barred = {each.pk: account for each in submissions if (account := _barred(each, known))}
    if barred:
        _put_by([each for each in submissions if each.pk in barred], barred)
    return set(barred)


def _accounts(submissions: Iterable[Submission]) -> QuerySet[Account]:
    ids = {pk for each in submissions if each.origin != SYSTEM for pk in (each.mailbox_id, each.actor_id)}
    return Account.objects.filter(pk__in=ids).select_related("domain").order_by("pk")


def _barred(submission: Submission, accounts: dict[int, Account]) -> Account | None:
    """Whose account keeps it here."""
    if submission.origin == SYSTEM:
        return None
    found = (accounts.get(pk) for pk in (submission.mailbox_id, submission.actor_id))
    return next((each for each in found if each is not None and not each.is_in_force), None)


def _put_by(submissions: Sequence[Submission], barred: dict[int, Account]) -> None:
    rows = Delivery.objects.filter(submission__in=submissions, state__in=GATED, on_hold=False).order_by("pk")
    rows = rows.exclude(state=Delivery.State.APPROVAL)
    waiting: dict[int, list[str]] = {}
    undoable = set()
    for submission_id, recipient, state in rows.select_for_update().values_list("submission_id", "recipient", "state"):
        waiting.setdefault(submission_id, []).append(recipient)
        if state == Delivery.State.HELD:
            undoable.add(submission_id)
    rows.order_by().update(on_hold=True, next_attempt_us=NEVER_US, updated_us=time.time_ns() // 1000)
    for each in submissions:
        if each.pk in undoable and each.draft_id:  # its copy among the drafts was to be there for seconds
            hide_snapshot(system_access(each.mailbox_id), each.draft_id)
    record_many(_event(each, barred[each.pk], waiting[each.pk]) for each in submissions if each.pk in waiting)


def _event(submission: Submission, account: Account, recipients: Sequence[str]) -> NewEvent:
    return NewEvent(
        Kind.ADMIN,
        domain_id=submission.domain_id,
        address=account.address,
        actor="system",
        data={
            "action": "keep_mail",
            "from": submission.envelope_from,
            "subject": submission.subject,
            "recipients": list(recipients),
            "queue_id": submission.queue_id,
        },
    )
