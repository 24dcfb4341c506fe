"""A gate opens: what was held goes on to the next one or leaves its author, in one transaction."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Account
from mailstore import blobs
from mta.approval.matching import Facts, facts_of
from mta.company.policy import send_policy
from mta.company.rates import hold_if_stopped
from mta.models import Delivery, Submission
from mta.services.dating import dated
from mta.services.gates import advance, next_gate
from mta.services.handover import Parcel, Routed, apply_routes, hand_over, route
from mta.services.keeping import keep

State = Delivery.State


@dataclasses.dataclass(frozen=True, slots=True)
class _Contents:
    """What leaves, encoded outside the transaction; None where the stored bytes leave as they are."""

    parcel: Parcel
    wire: blobs.Encoded | None
    sent: blobs.Encoded | None


def release(submission_id: int, *, passed: Sequence[str] = (State.HELD, State.SCHEDULED)) -> bool:
    """Open the gate before which a submission stands if it is one of `passed`; False when it stands before none of
    them any more (cancelled or released meanwhile), is kept, or is to be kept now (`mta.services.keeping`). Safe to call
    twice, and to be killed at any line."""
    submission = Submission.objects.get(pk=submission_id)
    waiting = Delivery.objects.filter(submission=submission, state__in=passed, on_hold=False)
    first = waiting.first()
    if first is None:
        return False
    now_us = time.time_ns() // 1000
    facts = _facts(submission, waiting) if first.state == State.HELD else None
    gate = next_gate(submission, passed=first.state, facts=facts, now_us=now_us)
    if gate is not None:
        with transaction.atomic():
            rows = _locked(submission, waiting.filter(state=first.state))
            if rows:
                advance(submission, rows, gate, now_us, facts=facts)
        return bool(rows)
    names = dict(waiting.values_list("recipient", "name"))
    routes = route(list(names), sender=submission.envelope_from, domain_id=submission.domain_id)
    contents = _contents(submission, now_us)
    if submission.is_individual:
        parcel = contents.parcel.with_copies(submission, routes, {each.lower(): name for each, name in names.items()})
        contents = dataclasses.replace(contents, parcel=parcel)
    with transaction.atomic():
        rows = _locked(submission, waiting.filter(state=first.state))
        if not rows:
            return False
        _leave(submission, contents, rows, routes)
    return True


def _locked(submission: Submission, waiting: QuerySet[Delivery]) -> list[Delivery]:
    """The deliveries that may go on; none where they are kept."""
    return [] if keep([submission]) else list(waiting.select_for_update())


def _facts(submission: Submission, waiting: QuerySet[Delivery]) -> Facts | None:
    sender = Account.objects.filter(pk=submission.mailbox_id).first()
    if sender is None:
        return None
    recipients = list(waiting.values_list("recipient", flat=True))
    return facts_of(submission, sender, recipients, blobs.get(submission.wire_blob_id))


def _contents(submission: Submission, now_us: int) -> _Contents:
    """A mail that was scheduled is dated when it leaves: until then it was not final (RFC 5322 3.6.1)."""
    policy = send_policy(submission.domain_id)
    wire = blobs.get(submission.wire_blob_id)
    sent = blobs.get(submission.sent_blob_id) if submission.sent_blob_id is not None else None
    if not submission.schedule_us:
        return _Contents(Parcel.of(submission.envelope_from, wire, sent=sent, policy=policy), None, None)
    wire, sent = dated(wire, now_us), dated(sent, now_us) if sent is not None else None
    parcel = Parcel.of(submission.envelope_from, wire, sent=sent, policy=policy)
    return _Contents(parcel, blobs.encode(wire), blobs.encode(sent) if sent is not None else None)


def _leave(submission: Submission, contents: _Contents, rows: list[Delivery], routes: Sequence[Routed]) -> None:
    now_us = time.time_ns() // 1000
    changed = [each for each in (contents.wire, contents.sent) if each is not None]
    ids = blobs.insert(changed) if changed else {}
    if contents.wire is not None:
        submission.wire_blob_id = ids[contents.wire.sha256]
    if contents.sent is not None:
        submission.sent_blob_id = ids[contents.sent.sha256]
    submission.release_us, submission.is_gated = now_us, False
    submission.save(update_fields=["wire_blob_id", "sent_blob_id", "release_us", "is_gated"])
    apply_routes(rows, routes, now_us)
    Delivery.objects.bulk_update(rows, ["state", "code", "text", "next_attempt_us", "updated_us"])
    hand_over(submission, contents.parcel, routes)
    hold_if_stopped(submission)
