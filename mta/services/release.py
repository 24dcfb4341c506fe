"""The undo time is over: what was held leaves its author, in one transaction."""

from __future__ import annotations

import time

from django.db import transaction

from mailstore import blobs
from mta.models import Delivery, Submission
from mta.services.handover import Parcel, apply_routes, hand_over, route

State = Delivery.State


def release(submission_id: int) -> bool:
    """Hand over a held submission; False when it was cancelled or released meanwhile. Safe to call twice."""
    submission = Submission.objects.get(pk=submission_id)
    sent = blobs.get(submission.sent_blob_id) if submission.sent_blob_id is not None else None
    parcel = Parcel.of(submission.envelope_from, blobs.get(submission.wire_blob_id), sent=sent)
    held = Delivery.objects.filter(submission=submission, state=State.HELD)
    routes = route(list(held.values_list("recipient", flat=True)), sender=submission.envelope_from)
    now_us = time.time_ns() // 1000
    with transaction.atomic():
        rows = list(held.select_for_update())
        if not rows:
            return False
        apply_routes(rows, routes, now_us)
        Delivery.objects.bulk_update(rows, ["state", "code", "text", "next_attempt_us", "updated_us"])
        hand_over(submission, parcel, routes)
    return True
