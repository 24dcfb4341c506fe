"""Which colleagues' mail has been opened without \\Seen saying so: what a recall must know beside the flags.

Only mail that was handed over inside this system and can still be recalled is noted, once; whoever serves a body asks
`is_recallable` with the stored bytes, which costs a look at the trace block.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Iterable, Sequence

from django.db import transaction

from core.bulk import insert_rows
from mta.models import Opening

RECALL_DAYS = 15
"""18.4.3 of the manual."""
_LOCAL = b"\r\nReceived: by "
"""The second line of what `mta.services.handover` stores; mail from elsewhere says `Received: from`."""


def is_recallable(raw: bytes) -> bool:
    """Whether these stored bytes are a colleague's mail of the last days."""
    at = raw.find(_LOCAL, 0, 400)
    if at < 0 or raw.find(b"\r\n", 0, 400) != at:
        return False
    date = raw[at : raw.find(b"\r\n", at + 2)].partition(b"; ")[2]
    try:
        sent_at = email.utils.parsedate_to_datetime(date.decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        return False
    return sent_at.timestamp() > time.time() - RECALL_DAYS * 86_400


def note_opened(message_ids: Iterable[int]) -> None:
    """Note messages whose bodies are about to be shown or sent; one statement, durable when this returns."""
    at_us = time.time_ns() // 1000
    rows = [(message_id, at_us) for message_id in set(message_ids)]
    if not rows:
        return
    with transaction.atomic():
        insert_rows("mta_opening", "message_id, at_us", rows, "ON CONFLICT (message_id) DO NOTHING")


def is_opened(message_ids: Sequence[int]) -> bool:
    """Whether one of them was."""
    return Opening.objects.filter(pk__in=message_ids).exists()


def forget_openings(now_us: int) -> int:
    """Those of mail that can't be recalled any more; how many."""
    before_us = now_us - (RECALL_DAYS + 1) * 86_400_000_000
    return Opening.objects.filter(at_us__lt=before_us).delete()[0]
