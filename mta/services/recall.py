"""撤回 (18.4.3 of the manual): mail that lies unread in mailboxes of this system is taken out of them again.

A `Recall` row is the truth; `carry_out` settles one mailbox after the other, each in a transaction of its own together
with its `RecallOutcome`, so it may be killed at any line and run twice: what has an outcome is left alone. What no
server has taken yet is stopped by the way.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account
from accounts.services.permission import audit, require_admin
from core.access import Access, Right
from core.errors import ErrorKind, MailError
from core.jobs import wake_on_commit
from mailstore.services.deliver import store
from mailstore.services.recall import Removal, mailboxes_with, remove_copies
from mta.alone import each_alone
from mta.inbound.recipients import Target, find_target
from mta.models import Delivery, MailPolicy, Recall, RecallOutcome, Submission
from mta.notices import notice
from mta.services.openings import RECALL_DAYS, is_opened
from mta.services.outcome import log_delivery
from mta.steps import Outcome, Recalled, tell_outcome, tell_recalled

State = Delivery.State
Result = RecallOutcome.Result

AT_ONCE = 50
"""Recipients that are settled while the sender waits; a worker does the rest."""
RESULTS = {
    Removal.REMOVED: Result.RECALLED,
    Removal.READ: Result.READ,
    Removal.OPENED: Result.FETCHED,
    Removal.ABSENT: Result.FAILED,
}


@dataclasses.dataclass(frozen=True, slots=True)
class _Copy:
    """One mailbox, or one address elsewhere (`mailbox` 0), that a recipient led to."""

    recipient: str
    address: str
    mailbox: int = 0


def may_recall(submission: Submission, now_us: int) -> bool:
    """Followed, sent at once, within the last days, and out of the author's hands."""
    return (
        submission.is_followed
        and not submission.schedule_us
        and not submission.is_gated
        and now_us - max(submission.created_us, submission.release_us) <= RECALL_DAYS * 86_400_000_000
    )


def recall(access: Access, submission_id: int) -> int:
    """Ask for a mail of `access.mailbox` back; the recall's id. The first recipients are settled when this returns.

    Raises NOT_FOUND for a stranger's; INVALID for mail that can't be recalled; EXISTS after a first attempt.
    """
    access.require(Right.SEND)
    submission = Submission.objects.filter(pk=submission_id, mailbox_id=access.mailbox).first()
    if submission is None:
        raise MailError(ErrorKind.NOT_FOUND)
    if not may_recall(submission, _now_us()):
        raise MailError(ErrorKind.INVALID, days=RECALL_DAYS)
    with transaction.atomic():
        Submission.objects.select_for_update().get(pk=submission.pk)
        if Recall.objects.filter(submission=submission, is_admin=False).exists():
            raise MailError(ErrorKind.EXISTS)
        asked = _ask(submission, access.actor, is_admin=False)
    carry_out(asked.pk, limit=AT_ONCE)
    return asked.pk


def recall_as_admin(submission: Submission, actor: Account) -> int:
    """Take a mail back whoever has read it, where the domain's policy lets its administrators; recorded.

    Raises NO_PERMISSION, NOT_FOUND; IN_USE while nothing of it has left.
    """
    owner = Account.objects.select_related("domain").get(pk=submission.mailbox_id)
    require_admin(actor, owner.domain_id)
    if not MailPolicy.objects.filter(domain=owner.domain_id, admin_recall=True).exists():
        raise MailError(ErrorKind.NO_PERMISSION, field="admin_recall")
    if submission.is_gated:
        raise MailError(ErrorKind.IN_USE)
    with transaction.atomic():
        asked = _ask(submission, actor.pk, is_admin=True)
        facts = {"subject": submission.subject, "submission": str(submission.pk)}
        audit(actor, "recall_mail", domain_id=owner.domain_id, address=owner.address, **facts)
    carry_out(asked.pk, limit=AT_ONCE)
    return asked.pk


def carry_out(recall_id: int, *, limit: int = 1 << 30) -> bool:
    """Settle what has no outcome yet, at most `limit` recipients; whether all is done."""
    asked = Recall.objects.select_related("submission").get(pk=recall_id)
    _stop_waiting(asked)
    done = set(asked.outcomes.values_list("address", flat=True))
    copies = {copy.address: copy for copy in _copies(asked.submission)}
    left = [copy for address, copy in copies.items() if address not in done]
    held = _held(asked.submission)
    for copy in left[:limit]:
        _settle(asked, copy, *held.get(copy.mailbox, (b"", [])))
    if len(left) > limit:
        return False
    _finish(asked)
    return True


def go_on() -> None:
    """Finish what a killed process, or a long list of recipients, left."""
    waiting = Recall.objects.filter(finished_us=None).order_by("requested_us")
    each_alone(waiting.values_list("pk", flat=True), carry_out)


def _ask(submission: Submission, actor: int, *, is_admin: bool) -> Recall:
    wake_on_commit("mta.recall", countdown_s=2.0)
    return Recall.objects.create(
        submission=submission, actor_id=actor, is_admin=is_admin, requested_us=_now_us(), finished_us=None
    )


def _stop_waiting(asked: Recall) -> None:
    """External recipients whose server has not got it: they never will."""
    submission = asked.submission
    with transaction.atomic():
        waiting = Delivery.objects.filter(submission=submission, state__in=[State.QUEUED, State.DEFERRED])
        for row in waiting.select_for_update():
            row.state, row.updated_us = State.CANCELLED, _now_us()
            row.save(update_fields=["state", "updated_us"])
            log_delivery(submission, row.recipient, state=State.CANCELLED, code="", text="")
            tell_outcome(Outcome(submission.pk, row.recipient, State.CANCELLED, "", ""))
            _write(asked, _Copy(row.recipient, row.recipient), Result.STOPPED)


def _copies(submission: Submission) -> Iterator[_Copy]:
    """Whom each recipient leads to now; then whoever has a copy without being led to (a member who left meanwhile)."""
    known: set[int] = set()
    reached = (State.DELIVERED, State.ACCEPTED, State.SENDING, State.RECALLED)
    rows = Delivery.objects.filter(submission=submission, state__in=reached).order_by("pk")
    for row in rows:
        target = find_target(row.recipient, sender=submission.envelope_from) if row.state == State.DELIVERED else None
        if not isinstance(target, Target):
            yield _Copy(row.recipient, row.recipient)
            continue
        for account in (*target.accounts, *target.full):
            known.add(account.id)
            yield _Copy(row.recipient, account.address, account.id)
        yield from (_Copy(row.recipient, address) for address in target.externals)
    others = [each for each in _held(submission) if each not in known]
    for member in Account.objects.filter(pk__in=others).order_by("address"):
        yield _Copy(member.address, member.address, member.pk)


def _held(submission: Submission) -> dict[int, tuple[bytes, list[int]]]:
    """Mailbox to the hash of its copy and the messages that have it. Two queries for each different copy."""
    hashes = [bytes(submission.local_hash)] if submission.local_hash else []
    if submission.is_individual:
        own = Delivery.objects.filter(submission=submission, local_hash__isnull=False)
        hashes += [bytes(each) for each in own.values_list("local_hash", flat=True) if each]
    return {mailbox: (each, ids) for each in hashes for mailbox, ids in mailboxes_with(each).items()}


def _settle(asked: Recall, copy: _Copy, sha256: bytes, message_ids: Sequence[int]) -> None:
    if not copy.mailbox:
        _write(asked, copy, _elsewhere(asked.submission, copy))
        return
    with transaction.atomic():
        if not message_ids:
            _write(asked, copy, Result.FAILED)
            return
        removal = remove_copies(copy.mailbox, message_ids, is_opened=is_opened, even_read=asked.is_admin)
        if not _write(asked, copy, RESULTS[removal]):
            return
        if removal is Removal.REMOVED:
            tell_recalled(Recalled(asked.submission_id, copy.mailbox, sha256))
            _notify(asked.submission, copy.mailbox)


def _elsewhere(submission: Submission, copy: _Copy) -> Result:
    """A local recipient whose account or group is gone meanwhile has failed; others are outside."""
    row = Delivery.objects.filter(submission=submission, recipient=copy.recipient).first()
    is_local = row is not None and row.state == State.DELIVERED and copy.address == copy.recipient
    return Result.FAILED if is_local else Result.EXTERNAL


def _write(asked: Recall, copy: _Copy, result: Result) -> bool:
    """False when another process was quicker."""
    _row, is_new = RecallOutcome.objects.get_or_create(
        recall=asked,
        address=copy.address,
        defaults={"recipient": copy.recipient, "result": result, "at_us": _now_us()},
    )
    return is_new


def _finish(asked: Recall) -> None:
    """A recipient all of whose copies are gone counts as recalled."""
    results: dict[str, set[str]] = {}
    for recipient, result in asked.outcomes.values_list("recipient", "result"):
        results.setdefault(recipient, set()).add(result)
    gone = [recipient for recipient, found in results.items() if found == {Result.RECALLED}]
    now_us = _now_us()
    with transaction.atomic():
        if not Recall.objects.filter(pk=asked.pk, finished_us=None).update(finished_us=now_us):
            return
        rows = Delivery.objects.filter(submission=asked.submission, recipient__in=gone, state=State.DELIVERED)
        for row in rows.select_for_update():
            row.state, row.updated_us = State.RECALLED, now_us
            row.save(update_fields=["state", "updated_us"])
            log_delivery(asked.submission, row.recipient, state=State.RECALLED, code="", text="")
            tell_outcome(Outcome(asked.submission_id, row.recipient, State.RECALLED, "", ""))


def _notify(submission: Submission, mailbox: int) -> None:
    """Tell the recipient, where his domain wants that."""
    reader = Account.objects.select_related("domain__mail_policy").get(pk=mailbox)
    policy = getattr(reader.domain, "mail_policy", None)
    if policy is None or not policy.recall_notice:
        return
    author = Account.objects.filter(pk=submission.mailbox_id).first()
    name = author.name if author else submission.envelope_from

    def words() -> tuple[str, str]:
        facts = {"author": name, "subject": submission.subject or _("(no subject)")}
        text = _("%(author)s has recalled the mail “%(subject)s”. It is no longer in your mailbox.") % facts
        return _("Recalled: %(subject)s") % facts, text

    store([notice(reader, words)])


def _now_us() -> int:
    return time.time_ns() // 1000
