"""External members of a list get their mail from the domain's system account, which also takes the bounces."""

from __future__ import annotations

from mailstore import blobs
from mailstore.message import scan
from mta.inbound.recipients import Target
from mta.inbound.trace import Arrival, received_line
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

    The envelope sender is the system account, so that a member's full mailbox
    does not bother the author (RFC 5321 3.9.2). `sealed` (an ARC set) goes in front of a message that was received.
    """
    wire = received_line(arrival) + sealed + message if arrival else message
    scanned = scan(wire)
    return queue_mail(
        target.domain_id,
        target.externals,
        blobs.encode(wire),
        message_id=scanned.message_id or "",
        subject=scanned.subject,
        require_tls=require_tls,
        queue_id=arrival.queue_id if arrival else "",
    )
