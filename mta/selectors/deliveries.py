"""The recipients of one submission, one by one."""

from __future__ import annotations

import dataclasses

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mta.models import Delivery, Submission


@dataclasses.dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One recipient and how far the mail has come; `code` and `text` are the last answer."""

    recipient: str
    state: str
    code: str
    text: str
    remote_host: str
    tries: int
    next_attempt_us: int
    updated_us: int


def deliveries(access: Access, submission_id: int) -> list[DeliveryRow]:
    """The recipients of a submission of `access.mailbox`; NOT_FOUND for a stranger's. Two queries."""
    access.require(Right.READ)
    if not Submission.objects.filter(pk=submission_id, mailbox_id=access.mailbox).exists():
        raise MailError(ErrorKind.NOT_FOUND)
    return rows_of(submission_id)


def rows_of(submission_id: int, *, limit: int | None = None) -> list[DeliveryRow]:
    """The recipients of a submission, for callers that know whose it is."""
    columns = [field.name for field in dataclasses.fields(DeliveryRow)]
    rows = Delivery.objects.filter(submission=submission_id).order_by("pk").values(*columns)
    return [DeliveryRow(**row) for row in rows[:limit]]
