"""What comes back to the envelope sender of one delivery (`mta.returns`): the delivery was accepted and has failed after all."""

from __future__ import annotations

import dataclasses
import time

from mailstore.message.report import reported
from mta.bounce_texts import told_in_words
from mta.models import Delivery
from mta.services.outcome import log_delivery
from mta.steps import Outcome, tell_outcome

State = Delivery.State
FAILED = "5.0.0"


@dataclasses.dataclass(frozen=True, slots=True)
class Bounce:
    """A delivery that failed elsewhere, and what its server said."""

    delivery_id: int
    code: str
    text: str


def bounce_in(delivery_id: int, message: bytes) -> Bounce | None:
    """What a mail to the sender of `delivery_id` says of it; None unless it is a report of failure, for machines (RFC
    3464) or in words. No I/O. Which recipient it names does not matter: he may have forwarded the mail."""
    found = reported(message)
    failed = next((each for each in found if each.action == "failed"), None) if found else told_in_words(message)
    if failed is None:
        return None
    code = failed.code if failed.code.startswith("5") else FAILED
    return Bounce(delivery_id, code, failed.text)


def note_bounce(bounce: Bounce) -> None:
    """Write it down in the transaction that stores the report; once, and only what had been accepted, though perhaps that
    is not written down yet: some servers send their report before the worker has settled the attempt."""
    row = Delivery.objects.select_for_update().select_related("submission").filter(pk=bounce.delivery_id).first()
    if row is None or row.state not in {State.ACCEPTED, State.SENDING}:
        return
    row.state, row.code, row.text = State.BOUNCED, bounce.code[:12], bounce.text.replace("\0", "")[:500]
    row.updated_us = time.time_ns() // 1000
    row.save(update_fields=["state", "code", "text", "updated_us"])
    said = (str(row.state), row.code, row.text)
    log_delivery(row.submission, row.recipient, state=said[0], code=said[1], text=said[2], remote_host=row.remote_host)
    tell_outcome(Outcome(row.submission_id, row.recipient, *said, row.submission.domain_id))
