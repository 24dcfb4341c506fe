"""What claimed deliveries carry: submissions, signed messages, and the smart host of the author's domain.

A batch costs a handful of queries and each message is signed once, however many recipients and domains it goes to.
Large messages are left where they are until their turn comes.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Sequence

from mailstore import blobs, sql
from mta.models import Submission
from mta.outbound.queue import Claimed, by_destination
from mta.outbound.routing import Hop
from mta.outbound.signatures import KnownKeys, signed
from mta.wishes import RecipientWish, Wishes

AT_ONCE_MAX_BYTES = 256 * 1024
"""Larger messages are read when they are sent, a few at a time."""
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclasses.dataclass(slots=True)
class Group:
    """What one SMTP transaction carries: deliveries of one message to one domain."""

    deliveries: list[Claimed]
    submission: Submission
    domain: str
    message: bytes | None
    """Signed; None: not read yet (`read_message`)."""
    relay: Hop | None = None
    """The smart host of the author's domain."""

    @property
    def recipients(self) -> list[str]:
        """In the order of their claims."""
        return [delivery.recipient for delivery in self.deliveries]

    @property
    def wishes(self) -> Wishes:
        """What the author wants told."""
        wanted = {each.recipient.lower(): RecipientWish(each.notify, each.original) for each in self.deliveries}
        return Wishes(self.submission.returned, self.submission.envelope_id, self.submission.require_tls, wanted)

    @property
    def blob_id(self) -> int:
        """Of the message."""
        return self.deliveries[0].blob_id or self.submission.wire_blob_id


def load(claimed: Sequence[Claimed]) -> list[Group]:
    """Claimed rows as groups; rows without a submission are left to their claim's end. Call on a database thread."""
    submissions = Submission.objects.in_bulk({each.submission_id for each in claimed})
    groups = [
        Group(rows, submissions[rows[0].submission_id], rows[0].domain.lower(), None)
        for rows in by_destination(claimed)
        if rows[0].submission_id in submissions
    ]
    contents = _small_contents({group.blob_id for group in groups})
    made: dict[tuple[int, str], bytes] = {}
    known = KnownKeys()
    for group in groups:
        content = contents.get(group.blob_id)
        if content is not None:
            key = (group.blob_id, group.submission.envelope_from)
            if key not in made:
                made[key] = _ready(content, group.submission, known)
            group.message = made[key]
    return groups


def read_message(group: Group) -> bytes:
    """The signed message of one group. Call on a database thread."""
    return (
        group.message if group.message is not None else _ready(blobs.get(group.blob_id), group.submission, KnownKeys())
    )


def _small_contents(blob_ids: set[int]) -> dict[int, bytes]:
    ids = sorted(blob_ids)
    found = sql.rows(
        f"SELECT id, codec, data, key, size FROM mailstore_blob WHERE id IN ({sql.marks(ids)}) AND size <= %s",
        [*ids, AT_ONCE_MAX_BYTES],
    )
    return {blob_id: blobs.decode(codec, data, key, size) for blob_id, codec, data, key, size in found}


def _ready(content: bytes, submission: Submission, known: KnownKeys) -> bytes:
    if content.count(b"\n") != content.count(b"\r\n") or content.count(b"\r") != content.count(b"\r\n"):
        content = _LINE_END.sub(b"\r\n", content)  # before it is signed: no other line end may leave (RFC 5321 2.3.8)
    return signed(content, envelope_from=submission.envelope_from, now_s=time.time(), known=known)
