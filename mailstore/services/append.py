"""Putting a message into a folder by hand: upload, IMAP APPEND, import."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore.ledger import Ledger
from mailstore.services.incoming import Incoming, Placement, prepare
from mailstore.services.keywords import set_keywords
from mailstore.services.quota import require_room
from mailstore.services.rows import writable
from mailstore.services.store import store


@dataclasses.dataclass(frozen=True, slots=True)
class Letter:
    """A message to append: flags, ids of keywords, and when it arrived (µs; None: now)."""

    raw: bytes
    flags: int = 0
    keyword_ids: Sequence[int] = ()
    internal_us: int | None = None


def append(access: Access, folder_id: int, raw: bytes, *, flags: int = 0, internal_us: int | None = None) -> int:
    """Store `raw` in a folder; the new entry's id. Durable when this returns (outside a transaction of the caller's).
    Needs INSERT; TOO_LARGE, OVER_QUOTA."""
    return append_all(access, folder_id, [Letter(raw, flags, internal_us=internal_us)])[0]


def append_all(access: Access, folder_id: int, letters: Sequence[Letter]) -> list[int]:
    """Store all of them or none (RFC 3502); the new entries, in their order. As `append`."""
    access.require(Right.INSERT)
    if any(len(letter.raw) > settings.MESSAGE_MAX_BYTES for letter in letters):
        raise MailError(ErrorKind.TOO_LARGE, limit=settings.MESSAGE_MAX_BYTES)
    prepared = [prepare(letter.raw) for letter in letters]
    with transaction.atomic():
        ledger = Ledger([access.mailbox])
        writable(ledger, access, folder_id)
        require_room(ledger, access.mailbox, sum(each.size for each in prepared))
        items: list[Incoming[None]] = []
        for letter, each in zip(letters, prepared, strict=True):
            at = Placement(access.mailbox, folder_id=folder_id, flags=letter.flags, internal_us=letter.internal_us)
            items.append(Incoming(each, [at]))
        entry_ids = [each.entry_ids[access.mailbox] for each in store(items)]
        for entry_id, letter in zip(entry_ids, letters, strict=True):
            if letter.keyword_ids:
                set_keywords(access, [entry_id], add=letter.keyword_ids)
    return entry_ids
