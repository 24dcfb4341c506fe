"""待发送: what has been sent and has not reached everybody. A view over submissions, not a folder."""

from __future__ import annotations

import dataclasses
import time

from django.db.models import BigIntegerField, Case, Count, F, Max, Min, QuerySet, Value, When

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import blobs
from mailstore.models import Draft
from mta.inbound.accepted import KEEP_US, is_remembered
from mta.models import GATED, KEPT, OPEN, Delivery, Submission
from mta.outbound.queue import NEVER_US
from mta.services.gates import Gate

State = Delivery.State
RECIPIENTS_SHOWN = 5
OUTBOX_MAX = 500
"""Mails on the page; those due first come first."""
MARK_CHARS = 40
"""160 bits: nobody meets another's by chance, and an id of them stays short."""


@dataclasses.dataclass(frozen=True, slots=True)
class OutboxMail:
    """One mail that waits. `state` is where it stands (of several, the one furthest behind), `due_us` when the clock
    moves it on (0: somebody's decision does); `waiting` of its recipients `total` have not got it; `error_code` is the
    last answer of a server that asked for patience (RFC 3463). `is_kept`: its account was suspended or expired when it was
    to leave, at `due_us` (`mta.services.keeping`)."""

    submission_id: int
    subject: str
    state: str
    due_us: int
    created_us: int
    recipients: list[str]
    waiting: int
    total: int
    error_code: str
    is_gated: bool
    may_stop: bool
    is_kept: bool

    @property
    def more(self) -> int:
        """Recipients that are not named."""
        return max(0, self.waiting - len(self.recipients))


def outbox(access: Access) -> list[OutboxMail]:
    """The mails of `access.mailbox` that wait: those that were kept, then those due first. Four queries along
    `delivery_open`."""
    return _mails(access, _waiting(access))


def outbox_mail(access: Access, submission_id: int) -> OutboxMail:
    """One of them. Raises NOT_FOUND for one that waits no more, or never did here."""
    found = _mails(access, _waiting(access).filter(submission=submission_id))
    if not found:
        raise MailError(ErrorKind.NOT_FOUND)
    return found[0]


def outbox_content(access: Access, submission_id: int) -> bytes:
    """The mail as its author sees it, Bcc included, while it waits; NOT_FOUND otherwise."""
    blob = "submission__sent_blob_id", "submission__wire_blob_id"
    found = _waiting(access).filter(submission=submission_id).values_list(*blob).first()
    if found is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return blobs.get(found[0] or found[1])


def was_here(access: Access, submission_id: int) -> bool:
    """Whether such a mail was ever sent from this mailbox."""
    access.require(Right.READ)
    return Submission.objects.filter(pk=submission_id, mailbox_id=access.mailbox).exists()


def _waiting(access: Access) -> QuerySet[Delivery]:
    access.require(Right.READ)
    return Delivery.objects.filter(mailbox_id=access.mailbox, state__in=OPEN)


def _mails(access: Access, waiting: QuerySet[Delivery]) -> list[OutboxMail]:
    kept_first = Case(When(KEPT, then=Value(0)), default=F("next_attempt_us"), output_field=BigIntegerField())
    groups = list(
        waiting.values("submission_id")
        .annotate(waiting=Count("pk"), due=Min(kept_first), kept=Count("pk", filter=KEPT), code=Max("code"))
        .order_by("due", "submission_id")[:OUTBOX_MAX]
    )
    ids = [group["submission_id"] for group in groups]
    submissions = Submission.objects.in_bulk(ids)
    totals = Delivery.objects.filter(submission__in=ids).values("submission_id").annotate(count=Count("pk"))
    total = {row["submission_id"]: row["count"] for row in totals}
    states, names = _named(access.mailbox, ids)
    return [
        OutboxMail(
            submission_id=each.pk,
            subject=each.subject,
            state=_behind(states[each.pk]),
            due_us=_was_due_us(each) if group["kept"] else _due_us(states[each.pk], group["due"]),
            created_us=each.created_us,
            recipients=names[each.pk][:RECIPIENTS_SHOWN],
            waiting=group["waiting"],
            total=total[each.pk],
            error_code=group["code"],
            is_gated=each.is_gated,
            may_stop=each.is_gated or not states[each.pk] <= {State.SENDING},
            is_kept=bool(group["kept"]),
        )
        for group in groups
        for each in [submissions[group["submission_id"]]]
    ]


def _due_us(states: set[str], first_us: int) -> int:
    return 0 if State.APPROVAL in states or first_us >= NEVER_US else first_us


def _was_due_us(submission: Submission) -> int:
    return submission.schedule_us or submission.release_us


def gate_of(submission_id: int) -> Gate | None:
    """The gate before which a submission of one's own stands; one query."""
    first = Delivery.objects.filter(submission=submission_id).values_list("state", "next_attempt_us").first()
    return Gate(*first) if first is not None and first[0] in GATED else None


def is_waiting(access: Access, draft_id: int) -> bool:
    """Whether a draft is on its way already, held before a gate; one query along a unique index."""
    return Submission.objects.filter(draft_id=draft_id, mailbox_id=access.mailbox, is_gated=True).exists()


@dataclasses.dataclass(frozen=True, slots=True)
class Sent:
    """A mail that a browser sent, and the draft that it was."""

    submission_id: int
    draft_id: int


def mark_of(digest: bytes) -> str:
    """What the Message-ID begins with of a mail that a browser sends with a `SubmitRequest.digest`."""
    return digest.hex()[:MARK_CHARS]


def sent_before(access: Access, digest: bytes) -> Sent | None:
    """What was sent from this mailbox with a `SubmitRequest.digest` within 24 hours; None when nothing was, or it was taken
    back since."""
    access.require(Right.READ)
    if not digest or not is_remembered(digest):
        return None
    # By time, along `submission_of_mailbox`: whether the index of ids serves a prefix depends on the database's collation.
    since_us = time.time_ns() // 1000 - KEEP_US
    of_mailbox = Submission.objects.filter(mailbox_id=access.mailbox, created_us__gte=since_us)
    marked = of_mailbox.filter(message_id__startswith=mark_of(digest), draft_id__isnull=False)
    found = marked.order_by("-created_us").values_list("pk", "draft_id", "is_gated").first()
    if found is None or found[1] is None or (not found[2] and Draft.objects.filter(pk=found[1]).exists()):
        return None
    return Sent(found[0], found[1])


@dataclasses.dataclass(frozen=True, slots=True)
class HeldDraft:
    """The copy in 草稿箱 of a mail that has been sent and waits before a gate, as `state` says."""

    submission_id: int
    state: str


def held_drafts(access: Access) -> dict[int, HeldDraft]:
    """Those of a mailbox, by the entry that is the copy. One query along `delivery_open` where nothing waits, else two."""
    access.require(Right.READ)
    gated = Delivery.objects.filter(mailbox_id=access.mailbox, state__in=OPEN, submission__is_gated=True)
    found = gated.filter(submission__draft_id__isnull=False).values_list(
        "submission__draft_id", "submission_id", "state"
    )
    held = {draft: HeldDraft(submission, state) for draft, submission, state in found.distinct() if draft}
    if not held:
        return {}
    copies = Draft.objects.filter(pk__in=held, mailbox_id=access.mailbox, snapshot_entry_id__isnull=False)
    return {entry: held[draft] for draft, entry in copies.values_list("pk", "snapshot_entry_id") if entry is not None}


def _named(mailbox: int, ids: list[int]) -> tuple[dict[int, set[str]], dict[int, list[str]]]:
    states: dict[int, set[str]] = {each: set() for each in ids}
    names: dict[int, list[str]] = {each: [] for each in ids}
    open_ones = Delivery.objects.filter(mailbox_id=mailbox, state__in=OPEN, submission__in=ids)
    for submission, recipient, state in open_ones.order_by("pk").values_list("submission_id", "recipient", "state"):
        states[submission].add(state)
        if len(names[submission]) < RECIPIENTS_SHOWN:
            names[submission].append(recipient)
    return states, names


def _behind(states: set[str]) -> str:
    order = [*GATED, State.DEFERRED, State.QUEUED, State.SENDING]
    return str(next(state for state in order if state in states))
