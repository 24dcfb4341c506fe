"""Whom a mailbox writes with: remembered when mail comes and goes, offered when somebody types a recipient."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import transaction

from core.access import Access, Right
from core.bulk import insert_rows
from mailstore import blobs
from mailstore.blobs import Encoded
from mailstore.ledger import Ledger
from mailstore.message import Address, read, sender_key

MAX_ADDRESSES = 1_000
"""Of one mail; a larger one is a mailing, and its recipients are nobody's correspondents."""
MAX_NAME_CHARS = 200
AGAIN_US = 3_600_000_000
"""Mail from one address is noted once an hour: a burst of it would rewrite a row and its place among the newest for each."""
MAX_ADDRESS_CHARS = 320


class Met(NamedTuple):
    """One contact of a mailbox with an address."""

    mailbox: int
    name: str
    address: str
    sent: int = 0
    received: int = 0


def note_sent(access: Access, addresses: Iterable[Address], at: datetime.datetime) -> None:
    """Remember whom this mailbox wrote to. `store` does it by itself for what it places in Sent."""
    access.require(Right.SEND)
    met = [Met(access.mailbox, each.name, each.address, sent=1) for each in addresses][:MAX_ADDRESSES]
    with transaction.atomic():
        ledger = Ledger([access.mailbox])
        write(ledger, met, int(at.timestamp() * 1_000_000))
        ledger.write()


def recipients_of(encoded: Encoded) -> list[Address]:
    """To, Cc and Bcc of a stored message; nobody for a mailing."""
    readable = read(blobs.decode(encoded.codec, encoded.data, encoded.key, encoded.size))
    found = [*readable.to, *readable.cc, *readable.bcc]
    return found if len(found) <= MAX_ADDRESSES else []


def write(ledger: Ledger, met: Sequence[Met], at_us: int) -> None:
    """Upsert in the ledger's transaction; one statement. Whose mail came within the hour is known already."""
    merged = _merged(met)
    insert_rows(
        "mailstore_correspondent",
        "id, mailbox_id, address, name, sort_key, sent_count, received_count, last_us",
        [_row(ledger, merged[key], at_us) for key in sorted(merged)],
        "ON CONFLICT (mailbox_id, address) DO UPDATE SET "
        "name = CASE WHEN excluded.name <> '' THEN excluded.name ELSE mailstore_correspondent.name END, "
        "sort_key = CASE WHEN excluded.name <> '' THEN excluded.sort_key ELSE mailstore_correspondent.sort_key END, "
        "sent_count = mailstore_correspondent.sent_count + excluded.sent_count, "
        "received_count = mailstore_correspondent.received_count + excluded.received_count, "
        "last_us = CASE WHEN excluded.last_us > mailstore_correspondent.last_us "
        "THEN excluded.last_us ELSE mailstore_correspondent.last_us END "
        "WHERE excluded.sent_count > 0 OR mailstore_correspondent.received_count = 0 "
        f"OR excluded.last_us >= mailstore_correspondent.last_us + {AGAIN_US}",
    )


def _merged(met: Sequence[Met]) -> dict[tuple[int, str], Met]:
    """One for each address of a mailbox: a statement may touch a row once (PostgreSQL)."""
    merged: dict[tuple[int, str], Met] = {}
    for each in met:
        address = each.address.strip().lower()[:MAX_ADDRESS_CHARS]
        if "@" not in address:
            continue
        name, sent, received = each.name[:MAX_NAME_CHARS], each.sent, each.received
        if known := merged.get((each.mailbox, address)):
            name, sent, received = name or known.name, sent + known.sent, received + known.received
        merged[each.mailbox, address] = Met(each.mailbox, name, address, sent, received)
    return merged


def _row(ledger: Ledger, each: Met, at_us: int) -> tuple[object, ...]:
    key = sort_key(each.name, each.address)
    return (ledger.new_id(each.mailbox), each.mailbox, each.address, each.name, key, each.sent, each.received, at_us)


def sort_key(name: str, address: str) -> str:
    """Pinyin of the name, then its initials: `wang xiao`, `wangxiao` and `wxm` all find 王小明."""
    key = sender_key(name, address)
    words = key.split()
    if not name or len(words) < 2:
        return key
    return f"{key} {''.join(words)} {''.join(word[0] for word in words)}"[:MAX_NAME_CHARS]
