"""What claimed deliveries carry: submissions, signed messages, and the smart host of the author's domain.

A batch costs a handful of queries and each message is signed once, however many recipients and domains it goes to.
Large messages are left where they are until their turn comes.
"""

from __future__ import annotations

import dataclasses
import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence

from django.db import DatabaseError

from mailstore import blobs, sql
from mailstore.message.binary import without_binary
from mailstore.message.seven_bit import seven_bit
from mta import individual
from mta.models import Delivery, Submission
from mta.outbound.queue import Claimed, by_destination
from mta.outbound.result import Result
from mta.outbound.routing import Hop
from mta.outbound.signatures import KnownKeys, signed
from mta.returns import INDIVIDUAL
from mta.wishes import RecipientWish, Wishes

AT_ONCE_MAX_BYTES = 256 * 1024
"""Larger messages are read when they are sent, a few at a time."""
log = logging.getLogger(__name__)
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
    name: str = ""
    """Of the one recipient of a copy that is his own."""
    known: list[Result] = dataclasses.field(default_factory=list)
    """What the transaction under way has come to so far."""

    @property
    def sender(self) -> str:
        """The envelope sender; of bulk mail one for each delivery, so that what comes back says whose it is."""
        author = self.submission.envelope_from
        if not (self.submission.goes_one_by_one and author):
            return author
        return INDIVIDUAL.address(self.deliveries[0].id, author.rpartition("@")[2], time.time())

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

    def original(self, content: bytes) -> bytes:
        """What this group's recipients get of the stored bytes, before it is signed."""
        if not self.submission.is_individual:
            return content
        return individual.own_copy(content, self.submission.message_id, self.recipients[0], self.name)


def load(claimed: Sequence[Claimed]) -> list[Group]:
    """Claimed rows as groups; rows without a submission are left to their claim's end. Call on a database thread."""
    submissions = Submission.objects.in_bulk({each.submission_id for each in claimed})
    groups = [
        Group(rows, submissions[rows[0].submission_id], rows[0].domain.lower(), None)
        for rows in _divided(by_destination(claimed), submissions)
    ]
    _name(groups)
    contents = _small_contents({group.blob_id for group in groups})
    made: dict[tuple[int, str], bytes] = {}
    known = KnownKeys()
    for group in groups:
        content = contents.get(group.blob_id)
        if content is None:
            continue
        try:
            if group.submission.is_individual:
                group.message = _ready(group.original(content), group.submission, known)
                continue
            key = (group.blob_id, group.submission.envelope_from)
            if key not in made:
                made[key] = _ready(content, group.submission, known)
            group.message = made[key]
        except DatabaseError:
            raise
        except Exception:  # one mail's trouble is met alone, when it is read at its turn
            log.exception("a message is not ready", extra={"submission": group.submission.pk})
    return groups


def read_message(group: Group) -> bytes:
    """The signed message of one group. Call on a database thread."""
    if group.message is not None:
        return group.message
    return _ready(group.original(blobs.get(group.blob_id)), group.submission, KnownKeys())


def read_seven_bit(group: Group) -> bytes:
    """The message of one group for a server that takes no 8-bit bytes (RFC 6152 3), converted before it is signed (RFC 6376
    5.3); with 8-bit bytes still when that can't be done, and then the client does not offer it. Signatures of others do not
    survive it, which is no worse than a mail that does not arrive. Call on a database thread."""
    content = _of_lines(group.original(blobs.get(group.blob_id)))
    return _signed(seven_bit(content) or content, group.submission, KnownKeys())


def _divided(found: list[list[Claimed]], submissions: Mapping[int, Submission]) -> Iterator[list[Claimed]]:
    """What one transaction may carry; what has an envelope sender of its own goes alone."""
    for rows in found:
        submission = submissions.get(rows[0].submission_id)
        if submission is not None:
            yield from [[row] for row in rows] if submission.goes_one_by_one else [rows]


def _name(groups: Sequence[Group]) -> None:
    """How the authors call those who get copies of their own; no query where there is none."""
    own = {group.deliveries[0].id: group for group in groups if group.submission.is_individual}
    if own:
        for row_id, name in Delivery.objects.filter(pk__in=own).values_list("pk", "name"):
            own[row_id].name = name


def _small_contents(blob_ids: set[int]) -> dict[int, bytes]:
    ids = sorted(blob_ids)
    found = sql.rows(
        f"SELECT id, codec, data, key, size FROM mailstore_blob WHERE id IN ({sql.marks(ids)}) AND size <= %s",
        [*ids, AT_ONCE_MAX_BYTES],
    )
    contents = {}
    for blob_id, *stored in found:
        try:
            contents[blob_id] = blobs.decode(*stored)
        except Exception:  # bytes that can't be had now: their mail alone waits
            log.exception("a message can't be read", extra={"blob": blob_id})
    return contents


def _ready(content: bytes, submission: Submission, known: KnownKeys) -> bytes:
    return _signed(_of_lines(content), submission, known)


def _of_lines(content: bytes) -> bytes:
    """No other line end may leave (RFC 5321 2.3.8), and none may be mended after it is signed."""
    if content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r"):
        return content
    return _LINE_END.sub(b"\r\n", without_binary(content))


def _signed(content: bytes, submission: Submission, known: KnownKeys) -> bytes:
    return signed(content, envelope_from=submission.envelope_from, now_s=time.time(), known=known)
