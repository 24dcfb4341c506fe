"""Bytes become a message in mailboxes. The hottest write; raw SQL, everything batched for a group.

`prepare` is CPU and belongs outside the transaction; `store` writes rows in the caller's transaction. For a group
there is one statement of each kind, whatever its size. A blob is stored once for all; each mailbox has its own
message row.
"""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from django.db import DatabaseError, connection

from core.bulk import ahead, insert_rows
from core.errors import MailError
from mailstore import blobs, folder_threads, orders, sql, threads
from mailstore.fields import mailbox_of
from mailstore.ledger import FolderCount, Ledger
from mailstore.message import (
    PARSER_VERSION,
    ancestor_hashes,
)
from mailstore.models import Role, settled
from mailstore.services import correspondents
from mailstore.services.incoming import Incoming, Placement, Prepared, Together
from mailstore.services.labelled import Labelled, write_labels
from mailstore.services.marks import insert_marks

T = TypeVar("T")
NOT_MET = (Role.DRAFTS, Role.JUNK, Role.TRASH, Role.MONITOR)
"""Whoever writes what lies there is nobody whom the mailbox's owner has met."""

MESSAGE_COLUMNS = (
    "id, mailbox_id, blob_id, size, trace_length, header_length, sent_us, received_us, sender_name, sender_address, "
    "recipients, subject, preview, attributes, message_id_hash, ancestors, envelope, bodystructure, parts, "
    "parser_version, judgement"
)
ENTRY_COLUMNS = (
    "id, mailbox_id, folder_id, uid, message_id, modseq, flags, keywords, attributes, sort_us, internal_us, size, "
    "sender_key, sender_hash, subject_key, verdict, matched_address, saved_us"
)
MICROSECONDS = 1_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Stored:
    """The new entry of each mailbox and its UID (the first, when it was placed in several folders)."""

    entry_ids: dict[int, int]
    uids: dict[int, int]


class ItemError(Exception):
    """An item of a group could not be stored; its `__cause__` says why. The transaction must be rolled back."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class _Place(NamedTuple):
    """A placement whose folder is known and whose ids are given."""

    item: int
    prepared: Prepared
    placement: Placement
    folder: FolderCount
    message_id: int
    entry_id: int
    uid: int
    at_us: int
    saved_us: int | None


def store(items: Sequence[Incoming[Any]], *, ledger: Ledger | None = None) -> list[Stored]:
    """Write the items in the caller's transaction. Raises NOT_FOUND for a mailbox that does not exist, and whatever
    an `also` raises; the caller's transaction must not commit then. Who has a ledger of the mailboxes open in this
    transaction gives it; it is written here."""
    try:
        return store_group(items, ledger=ledger)
    except ItemError as error:
        raise (error.__cause__ or error) from None


def store_group(items: Sequence[Incoming[Any]], *, ledger: Ledger | None = None) -> list[Stored]:
    """`store`, but an item that fails by itself is named: ItemError."""
    assert connection.in_atomic_block, "store() belongs into a transaction"
    ledger = _with_folders(ledger or _open_ledger(items), items)
    places = _places(ledger, items, time.time_ns() // 1000)
    _write(ledger, places, {id(item.prepared) for item in items if item.is_snapshot})
    _run_also(items)
    results = [Stored({}, {}) for _ in items]
    for place in places:
        results[place.item].entry_ids.setdefault(place.placement.mailbox, place.entry_id)
        results[place.item].uids.setdefault(place.placement.mailbox, place.uid)
    return results


def _write(ledger: Ledger, places: list[_Place], snapshots: set[int]) -> None:
    stored = blobs.insert([place.prepared.encoded for place in places])
    messages = {place.message_id: place for place in places}
    threads_of = threads.assign([_arrived(place) for place in messages.values()])
    labels = _write_labels(places)
    sought = [place for place in messages.values() if id(place.prepared) not in snapshots]
    with ahead():
        rows = [_message_row(place, stored[place.prepared.encoded.sha256]) for place in messages.values()]
        insert_rows("mailstore_message", MESSAGE_COLUMNS, rows)
        insert_rows("mailstore_entry", ENTRY_COLUMNS, [_entry_row(ledger, place, labels) for place in places])
        todo = [(place.message_id, place.placement.mailbox) for place in sought]
        insert_rows("mailstore_searchtodo", "message_id, mailbox_id", todo)
        insert_marks((place.entry_id, place.folder.id, place.placement.flags) for place in places)
        met = [met for place in sought for met in _people(place)]
        correspondents.write(ledger, met, places[0].at_us if places else 0)
        ledger.write()
    orders.came((place.folder, [place.entry_id]) for place in places if place.folder.orders_kept)
    _count_threads(places, threads_of)


def _write_labels(places: Sequence[_Place]) -> Mapping[int, int]:
    labelled = [(place, place.placement) for place in places if place.placement.labels]
    return write_labels(
        [Labelled(to.mailbox, at.folder.id, at.entry_id, at.at_us, to.flags, to.labels) for at, to in labelled]
    )


def _open_ledger(items: Sequence[Incoming[Any]]) -> Ledger:
    try:
        return Ledger({placement.mailbox for item in items for placement in item.placements})
    except MailError as error:
        raise ItemError(_first_without_mailbox(items)) from error


def _with_folders(ledger: Ledger, items: Sequence[Incoming[Any]]) -> Ledger:
    """Two queries at most; an inbox that stands in for a folder that is gone is read when it is needed."""
    placements = [placement for item in items for placement in item.placements]
    custom = {placement.folder_id for placement in placements if placement.folder_id is not None}
    roles = {placement.role or Role.INBOX for placement in placements if placement.folder_id is None}
    ledger.load_folders(custom, map(str, roles))
    return ledger


def _first_without_mailbox(items: Sequence[Incoming[Any]]) -> int:
    """Which item to blame when a mailbox does not exist."""
    wanted = sorted({placement.mailbox for item in items for placement in item.placements})
    found = {row[0] for row in sql.rows(f"SELECT id FROM mailstore_mailbox WHERE id IN ({sql.marks(wanted)})", wanted)}
    for index, item in enumerate(items):
        if any(placement.mailbox not in found for placement in item.placements):
            return index
    return 0


def _places(ledger: Ledger, items: Sequence[Incoming[Any]], now_us: int) -> list[_Place]:
    places = []
    for index, item in enumerate(items):
        messages: dict[int, int] = {}
        taken: set[int] = set()
        for placement in item.placements:
            folder = _folder(ledger, placement, index)
            if folder.id in taken:
                continue
            taken.add(folder.id)
            mailbox = placement.mailbox
            if mailbox not in messages:
                messages[mailbox] = ledger.new_id(mailbox)
            at_us = now_us if placement.internal_us is None else placement.internal_us
            saved_us = None if at_us // MICROSECONDS == now_us // MICROSECONDS else now_us
            ids = (messages[mailbox], ledger.new_id(mailbox), ledger.new_uid(folder))
            places.append(_Place(index, item.prepared, placement, folder, *ids, at_us, saved_us))
    return places


def _folder(ledger: Ledger, placement: Placement, index: int) -> FolderCount:
    chosen = ledger.folders.get(placement.folder_id) if placement.folder_id is not None else None
    if chosen is not None and mailbox_of(chosen.id) == placement.mailbox:
        return chosen
    role = placement.role or Role.INBOX if placement.folder_id is None else Role.INBOX
    try:
        return ledger.folder_by_role(placement.mailbox, role)
    except MailError as error:
        raise ItemError(index) from error


def _message_row(place: _Place, blob_id: int) -> tuple[object, ...]:
    prepared = place.prepared
    scanned = prepared.scanned
    return (
        place.message_id,
        place.placement.mailbox,
        blob_id,
        prepared.encoded.size,
        prepared.trace_length,
        scanned.header_length,
        scanned.sent_us,
        place.at_us,
        scanned.sender_name,
        scanned.sender_address,
        scanned.recipients_short,
        scanned.subject,
        scanned.preview,
        scanned.attributes,
        prepared.own_hash,
        ancestor_hashes(scanned.ancestors),
        scanned.envelope,
        scanned.bodystructure,
        scanned.parts,
        PARSER_VERSION,
        place.placement.judgement or None,
    )


def _entry_row(ledger: Ledger, place: _Place, labels: Mapping[int, int]) -> tuple[object, ...]:
    prepared, placement = place.prepared, place.placement
    ledger.count(place.folder, flags=placement.flags, size=prepared.encoded.size)
    return (
        place.entry_id,
        placement.mailbox,
        place.folder.id,
        place.uid,
        place.message_id,
        ledger.modseq(place.folder),
        settled(placement.flags),
        labels.get(place.entry_id, 0),
        prepared.scanned.attributes,
        place.at_us,
        place.at_us,
        prepared.encoded.size,
        prepared.sender_key,
        prepared.sender_hash,
        prepared.subject_key,
        placement.verdict,
        placement.matched_address,
        place.saved_us,
    )


def _arrived(place: _Place) -> threads.Arrived:
    prepared = place.prepared
    return threads.Arrived(place.placement.mailbox, place.message_id, prepared.own_hash, prepared.hashes)


def _count_threads(places: list[_Place], threads_of: dict[int, int]) -> None:
    keys = [(threads_of[place.message_id], place.folder.id) for place in places]
    came = Counter(keys)
    grown = folder_threads.nothing_grown()
    for place, key in zip(places, keys, strict=True):
        if came[key] == 1 and key[0] in threads_of:
            continue  # it is new and alone
        scanned = place.prepared.scanned
        name = scanned.sender_name or scanned.sender_address
        grown[key].add(flags=place.placement.flags, sort_us=place.at_us, name=name)
    folder_threads.grow(grown)


def _people(place: _Place) -> list[correspondents.Met]:
    """Senders of personal mail become correspondents; so do the recipients of what lands in Sent."""
    prepared, mailbox = place.prepared, place.placement.mailbox
    scanned = prepared.scanned
    if place.folder.role == Role.SENT:
        people = correspondents.recipients_of(prepared.encoded)
        return [correspondents.Met(mailbox, each.name, each.address, sent=1) for each in people]
    if prepared.is_personal and place.folder.role not in NOT_MET:
        return [correspondents.Met(mailbox, scanned.sender_name, scanned.sender_address, received=1)]
    return []


def _run_also(items: Sequence[Incoming[Any]]) -> None:
    _run_together(items)
    for index, item in enumerate(items):
        if item.also is None:
            continue
        try:
            item.also()
        except DatabaseError:
            raise
        except Exception as error:
            raise ItemError(index) from error


def _run_together(items: Sequence[Incoming[Any]]) -> None:
    named: dict[Together, list[int]] = {}
    for index, item in enumerate(items):
        if item.together is not None:
            named.setdefault(item.together, []).append(index)
    for together, indexes in named.items():
        failed = together([items[index].about for index in indexes])
        if failed is not None:
            raise ItemError(indexes[failed[0]]) from failed[1]
