"""The end of a delivery in the log."""

from __future__ import annotations

from accounts.models import Account
from logs_app.models import Kind
from logs_app.services import NewEvent, record_many
from mta.models import Submission


def log_delivery(
    submission: Submission, recipient: str, *, state: str, code: str, text: str, remote_host: str = ""
) -> None:
    """One DELIVERY event of the submission's owner, inside the caller's transaction."""
    owner = Account.objects.filter(pk=submission.mailbox_id).values_list("address", "domain_id").first()
    event = delivery_event(
        submission, recipient, owner=owner, state=state, code=code, text=text, remote_host=remote_host
    )
    record_many([event])


def delivery_event(
    submission: Submission,
    recipient: str,
    *,
    owner: tuple[str, int] | None,
    state: str,
    code: str,
    text: str,
    remote_host: str = "",
) -> NewEvent:
    """The DELIVERY event of a submission whose `owner` (address, domain) is known already."""
    address, domain_id = owner or (submission.envelope_from, None)
    return NewEvent(
        Kind.DELIVERY,
        domain_id=domain_id,
        account_id=submission.mailbox_id,
        address=address,
        protocol="smtp" if remote_host else "local",
        succeeded=state not in {"bounced", "deferred"},
        error=f"{code} {text}".strip() if state in {"bounced", "deferred"} else "",
        data={
            "submission": str(submission.pk),
            "queue_id": submission.queue_id,
            "to": recipient,
            "state": state,
            "subject": submission.subject,
            "remote_host": remote_host,
        },
    )
