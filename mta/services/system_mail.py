"""Mail without a person: it belongs to the domain's system account, which also takes its bounces."""

from __future__ import annotations

import time
from collections.abc import Iterable

from accounts.models import Account
from core.jobs import wake_on_commit
from mailstore import blobs
from mta.inbound.trace import new_queue_id
from mta.models import Delivery, Submission


def queue_mail(
    domain_id: int,
    recipients: Iterable[str],
    content: blobs.Encoded,
    *,
    message_id: str,
    subject: str,
    envelope_from: str | None = None,
    require_tls: bool = False,
    queue_id: str = "",
    is_verp: bool = False,
) -> int:
    """Queue a message inside the caller's transaction; the submission's id. `envelope_from`: the system account;
    `queue_id`: that of the mail it comes of; `is_verp`: each recipient has an envelope sender of his own."""
    system = Account.objects.get(domain_id=domain_id, kind=Account.Kind.SYSTEM)
    now_us = time.time_ns() // 1000
    submission = Submission.objects.create(
        mailbox_id=system.pk,
        domain_id=domain_id,
        actor_id=0,
        origin=Submission.Origin.SYSTEM,
        envelope_from=system.address if envelope_from is None else envelope_from,
        message_id=message_id[:250],
        subject=subject[:500],
        queue_id=queue_id or new_queue_id(now_us / 1_000_000),
        wire_blob_id=blobs.insert([content])[content.sha256],
        created_us=now_us,
        require_tls=require_tls,
        is_verp=is_verp,
    )
    Delivery.objects.bulk_create(
        Delivery(
            submission=submission,
            recipient=address,
            domain=address.rpartition("@")[2].lower(),
            next_attempt_us=now_us,
            updated_us=now_us,
        )
        for address in dict.fromkeys(recipients)
    )
    wake_on_commit("mta.send_due")
    return submission.pk
