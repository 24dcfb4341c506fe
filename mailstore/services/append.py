"""Putting a message into a folder by hand: upload, IMAP APPEND, import."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from django.conf import settings
from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore.ledger import Ledger
from mailstore.services.incoming import Incoming, Placement, Prepared, prepare
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


@dataclasses.dataclass(frozen=True, slots=True)
class Ready:
    """A letter whose bytes are parsed and compressed."""

    prepared: Prepared
    letter: Letter


@dataclasses.dataclass(frozen=True, slots=True)
class Appended:
    """A new entry and its UID."""

    entry_id: int
    uid: int


def append(access: Access, folder_id: int, raw: bytes, *, flags: int = 0, internal_us: int | None = None) -> int:
    """Store `raw` in a folder; the new entry's id. Durable when this returns (outside a transaction of the caller's).
    Needs INSERT; TOO_LARGE, OVER_QUOTA."""
    return append_all(access, folder_id, [Letter(raw, flags, internal_us=internal_us)])[0].entry_id


def append_all(access: Access, folder_id: int, letters: Sequence[Letter]) -> list[Appended]:
    """Store all of them or none (RFC 3502), in their order. As `append`."""
    access.require(Right.INSERT)
    return append_ready(access, folder_id, ready(letters))


def ready(letters: Sequence[Letter]) -> list[Ready]:
    """The part of the work that needs no lock: call it before a transaction. TOO_LARGE."""
    if any(len(letter.raw) > settings.MESSAGE_MAX_BYTES for letter in letters):
        raise MailError(ErrorKind.TOO_LARGE, limit=settings.MESSAGE_MAX_BYTES)
    return [Ready(prepare(letter.raw), letter) for letter in letters]


def append_ready(
    access: Access, folder_id: int, letters: Sequence[Ready], *, then: Callable[[list[int]], None] | None = None
) -> list[Appended]:
    """As `append_all`; `then` gets the new entries in the same transaction. Needs INSERT, and FLAG for the flags and
    keywords, which are left out without it (RFC 4314 4)."""
    access.require(Right.INSERT)
    mailbox = access.mailbox
    with transaction.atomic():
        ledger = Ledger([mailbox])
        writable(ledger, access, folder_id)
        require_room(ledger, mailbox, sum(each.prepared.size for each in letters))
        stored = store([_incoming(access, folder_id, each) for each in letters], ledger=ledger)
        if then is not None:
            then([each.entry_ids[mailbox] for each in stored])
    return [Appended(each.entry_ids[mailbox], each.uids[mailbox]) for each in stored]


def _incoming(access: Access, folder_id: int, each: Ready) -> Incoming[None]:
    letter, may_flag = each.letter, access.may(Right.FLAG)
    at = Placement(
        access.mailbox,
        folder_id=folder_id,
        flags=letter.flags if may_flag else 0,
        internal_us=letter.internal_us,
        labels=tuple(letter.keyword_ids) if may_flag else (),
    )
    return Incoming(each.prepared, [at])
