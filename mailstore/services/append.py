"""Putting a message into a folder by hand: upload, IMAP APPEND, import."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore.ledger import Ledger
from mailstore.services.quota import require_room
from mailstore.services.rows import writable
from mailstore.services.store import Incoming, Placement, prepare, store


def append(access: Access, folder_id: int, raw: bytes, *, flags: int = 0, internal_us: int | None = None) -> int:
    """Store `raw` in a folder; the new entry's id. Durable when this returns (outside a transaction of the caller's).
    Needs INSERT; TOO_LARGE, OVER_QUOTA."""
    access.require(Right.INSERT)
    if len(raw) > settings.MESSAGE_MAX_BYTES:
        raise MailError(ErrorKind.TOO_LARGE, limit=settings.MESSAGE_MAX_BYTES)
    prepared = prepare(raw)
    placement = Placement(access.mailbox, folder_id=folder_id, flags=flags, internal_us=internal_us)
    with transaction.atomic():
        ledger = Ledger([access.mailbox])
        writable(ledger, access, folder_id)
        require_room(ledger, access.mailbox, prepared.size)
        stored = store([Incoming(prepared, [placement])])
    return stored[0].entry_ids[access.mailbox]
