"""External members of a list get their mail from the domain's system account, which also takes the bounces."""

from __future__ import annotations

from mailstore import blobs
from mailstore.message import scan
from mta.company.suppression import SUPPRESSED, suppressed
from mta.inbound.recipients import Target
from mta.inbound.trace import Arrival, received_line
from mta.models import Delivery, Submission
from mta.services.outcome import log_delivery
from mta.services.system_mail import queue_mail


def queue_for_externals(
    target: Target,
    message: bytes,
    arrival: Arrival | None,
    *,
    sealed: bytes = b"",
    require_tls: bool = False,
) -> int:
    """Queue `message` for the external members of `target` inside the caller's transaction; the submission's id.

    The envelope sender leads to the system account, so that a member's full mailbox does not bother the author (RFC 5321
    3.9.2), and is each member's own, so that what comes back says whose address is dead: those get no more. `sealed` (an ARC set) goes in front of a message that was received.
    Delivered-To (RFC 9228) names the list, by which it knows a mail that a member sends back to it.
    """
    passed = f"Delivered-To: {target.matched}\r\n".encode()
    wire = (received_line(arrival) if arrival else b"") + passed + sealed + message
    scanned = scan(wire)
    submission_id = queue_mail(
        target.domain_id,
        target.externals,
        blobs.encode(wire),
        message_id=scanned.message_id or "",
        subject=scanned.subject,
        require_tls=require_tls,
        queue_id=arrival.queue_id if arrival else "",
        is_verp=True,
    )
    _end_dead(submission_id, target)
    return submission_id


def _end_dead(submission_id: int, target: Target) -> None:
    """Members whose servers have called them dead, as for mail that people write."""
    dead = suppressed(target.domain_id, target.externals)
    if not dead:
        return
    submission = Submission.objects.get(pk=submission_id)
    code, text = SUPPRESSED
    for row in Delivery.objects.filter(submission=submission):
        if row.recipient.lower() in dead:
            row.state, row.code, row.text = Delivery.State.BOUNCED, code, text
            row.save(update_fields=["state", "code", "text"])
            log_delivery(submission, row.recipient, state=str(row.state), code=code, text=text)
