"""External members of a list get their mail from the domain's system account, which also takes the bounces."""

from __future__ import annotations

import time

from accounts.models import Account
from core.jobs import wake_on_commit
from mailstore import blobs
from mailstore.message import scan
from mta.inbound.recipients import Target
from mta.inbound.trace import Arrival, received_line
from mta.models import Delivery, Submission


def queue_for_externals(
    target: Target,
    sender: str,
    message: bytes,
    arrival: Arrival | None,
    *,
    sealed: bytes = b"",
    require_tls: bool = False,
) -> int:
    """Queue `message` for the external members of `target` inside the caller's transaction; the submission's id.

    `sender` only tells the log who wrote; the envelope sender is the system account, so that a member's full mailbox
    does not bother the author (RFC 5321 3.9.2). `sealed` (an ARC set) goes in front of a message that was received.
    """
    system = Account.objects.get(domain_id=target.domain_id, kind=Account.Kind.SYSTEM)
    now_us = time.time_ns() // 1000
    wire = received_line(arrival) + sealed + message if arrival else message
    scanned = scan(wire)
    submission = Submission.objects.create(
        mailbox_id=system.pk,
        actor_id=0,
        origin=Submission.Origin.SYSTEM,
        envelope_from=system.address,
        message_id=(scanned.message_id or "")[:250],
        subject=scanned.subject[:500],
        wire_blob_id=blobs.put(wire),
        created_us=now_us,
        require_tls=require_tls,
    )
    Delivery.objects.bulk_create(
        Delivery(
            submission=submission,
            recipient=address,
            domain=address.rpartition("@")[2].lower(),
            next_attempt_us=now_us,
            updated_us=now_us,
        )
        for address in dict.fromkeys(target.externals)
    )
    wake_on_commit("mta.send_due")
    return submission.pk
