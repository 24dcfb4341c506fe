"""Mail that programs send, in 已发送 once: the copy we keep (18.1.5 of the manual) and the one that an IMAP program
appends itself are the same message, whichever comes first.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.db import transaction

from core.access import Access
from mailstore.models import Role
from mailstore.selectors.entries import by_message_id, message_ids_of
from mailstore.services.purge import drop_double
from mta.models import Submission

SAME_US = 2 * 86_400_000_000
"""A program appends within seconds; one that was offline, within days."""


def known_copy(access: Access, message_id: str) -> int | None:
    """The entry in 已发送 that a program has appended already, before it sent."""
    return by_message_id(access, message_id, role=Role.SENT) if message_id else None


def adopt_copies(access: Access, entry_ids: Sequence[int]) -> None:
    """Entries that a program has just appended to 已发送: they take the place of the copies that we kept of the same
    messages, and their authors' questions about delivery go to them. In the caller's transaction if there is one."""
    since_us = time.time_ns() // 1000 - SAME_US
    for entry_id, message_id in message_ids_of(access, entry_ids).items():
        sent = Submission.objects.filter(
            mailbox_id=access.mailbox, message_id=message_id[:250].strip(), created_us__gte=since_us, origin="smtp"
        ).last()
        if sent is None or sent.sent_entry_id == entry_id:
            continue
        with transaction.atomic():
            ours, sent.sent_entry_id = sent.sent_entry_id, entry_id
            sent.save(update_fields=["sent_entry_id"])
            if ours is not None:
                drop_double(access, ours, role=Role.SENT)
