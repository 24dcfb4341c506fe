"""Taking a mail back while it is still ours."""

from __future__ import annotations

import time

from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mta.models import Delivery, Submission


def cancel(access: Access, submission_id: int) -> int | None:
    """Stop a submission that is held; returns the id of its draft, which is as it was.

    Raises NOT_FOUND for a stranger's, IN_USE when it is too late (some of it has been handed over).
    """
    access.require(Right.SEND)
    with transaction.atomic():
        submission = Submission.objects.filter(pk=submission_id, mailbox_id=access.mailbox).first()
        if submission is None:
            raise MailError(ErrorKind.NOT_FOUND)
        held = Delivery.objects.filter(submission=submission, state=Delivery.State.HELD)
        if not held.update(state=Delivery.State.CANCELLED, updated_us=time.time_ns() // 1000):
            raise MailError(ErrorKind.IN_USE)
    return submission.draft_id
