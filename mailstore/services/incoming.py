"""What is to be stored: a message prepared once, and where it is placed in each mailbox."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from mailstore import blobs
from mailstore.blobs import Encoded
from mailstore.message import (
    Attribute,
    Scanned,
    address_hash,
    message_id_hash,
    scan,
    sender_key,
    subject_key,
)
from mailstore.models import Role

T = TypeVar("T")

MACHINE = int(Attribute.LIST | Attribute.AUTO_SUBMITTED)
"""Attributes of what no person wrote."""
Together = Callable[[Sequence[Any]], tuple[int, Exception] | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Prepared:
    """A message parsed, hashed and compressed: all that does not depend on a mailbox."""

    scanned: Scanned
    encoded: Encoded
    trace_length: int
    own_hash: int | None
    hashes: tuple[int, ...]
    """Of every Message-ID it names, each once, its own first."""
    sender_key: str
    sender_hash: int
    subject_key: str
    is_personal: bool
    """Neither a list's nor a machine's mail: its sender is somebody to remember."""

    @property
    def size(self) -> int:
        """RFC822.SIZE, the trace included."""
        return self.encoded.size

    @property
    def subject(self) -> str:
        """Decoded, cut."""
        return self.scanned.subject


@dataclasses.dataclass(frozen=True, slots=True)
class Placement:
    """Where and how a mailbox gets a message. A `folder_id` that is gone meanwhile means the inbox."""

    mailbox: int
    role: Role | None = Role.INBOX
    folder_id: int | None = None
    flags: int = 0
    matched_address: str = ""
    verdict: int = 0
    judgement: str = ""
    """Kept beside the message as it is."""
    internal_us: int | None = None
    labels: tuple[int, ...] = ()
    """Ids of keywords; one that is gone meanwhile is passed over."""

    def judged(self, judgement: str) -> Placement:
        """The same with this judgement; every judged mail asks for one, and `dataclasses.replace` takes thrice the time."""
        where = (self.mailbox, self.role, self.folder_id, self.flags, self.matched_address, self.verdict)
        return Placement(*where, judgement, self.internal_us, self.labels)


@dataclasses.dataclass(frozen=True, slots=True)
class Incoming(Generic[T]):
    """One message for some mailboxes. `also` runs in the same transaction after the rows; if it raises, this item
    alone fails (with `store`: the caller's whole transaction). `together` runs once for all items of a transaction
    that name it, with the `about` of each; the item whose position it returns fails with the error beside it.
    `is_snapshot`: a draft's copy, not searched for."""

    prepared: Prepared
    placements: Sequence[Placement]
    also: Callable[[], T] | None = None
    is_snapshot: bool = False
    about: Any = None
    together: Together | None = None


def prepare(received: bytes, *, trace: bytes = b"") -> Prepared:
    """Scan, hash and compress `trace` + `received`. A large message is written to the object store here, so keep it
    off event loops; UNAVAILABLE when that fails."""
    raw = trace + received if trace else received
    scanned = scan(raw)
    own = message_id_hash(scanned.message_id) if scanned.message_id else None
    hashes = [message_id_hash(each) for each in scanned.references]
    return Prepared(
        scanned=scanned,
        encoded=blobs.encode(raw),
        trace_length=len(trace),
        own_hash=own,
        hashes=tuple(dict.fromkeys(hashes if own is None else [own, *hashes])),
        sender_key=sender_key(scanned.sender_name, scanned.sender_address),
        sender_hash=address_hash(scanned.sender_address),
        subject_key=subject_key(scanned.subject),
        is_personal=bool(scanned.sender_address) and not scanned.attributes & MACHINE,
    )
