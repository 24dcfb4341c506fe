"""A message of a stranger into the mailboxes: trace, steps, one group-committed transaction, then 250.

The writer's transaction holds everything that must stand or fall together: message rows, the `accepted` row, and the
queue rows for external members of lists. Nothing is spooled; a refusal is given in the dialogue.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import itertools
import os
from collections.abc import Iterator, Sequence

from accounts.rows import AccountRow
from core import dbthread
from logs_app.models import Kind
from logs_app.services import NewEvent
from mailstore.services.deliver import Incoming, Placement, Prepared, deliver_async, prepare
from mta.inbound.accepted import AlreadyAcceptedError, digest_of, remember_all
from mta.inbound.recipients import Target, merge_accounts
from mta.inbound.trace import Arrival, checked_header, trace_block, without_our_results
from mta.services.lists import queue_for_externals
from mta.steps import Mail, place

PREPARE_ON_LOOP_MAX = 64 * 1024
"""Below this, preparing on the event loop (0.2 ms) is cheaper than a thread; above it would make clients wait."""


@dataclasses.dataclass(frozen=True, slots=True)
class Transaction:
    """One envelope with its targets, and how it came."""

    arrival: Arrival
    sender: str
    recipients: Sequence[str]
    targets: Sequence[Target]


@dataclasses.dataclass(frozen=True, slots=True)
class Receipt:
    """What follows a stored mail: the digest to forget once its answer was read (empty: it was stored before), and
    the events for the log, which are written in batches after the commit."""

    digest: bytes
    events: tuple[NewEvent, ...]


_numbers = itertools.count()


def new_queue_id(at_s: float) -> str:
    """A short name for one transaction, in the Received line and the log: time, process, a counter."""
    return f"{int(at_s * 1000):x}{os.getpid() & 0xFFFF:04x}{next(_numbers) & 0xFFF:03x}"


async def receive(transaction: Transaction, message: bytes) -> Receipt:
    """Store `message` for every target, durably; what is left to do after the 250 comes back.

    Raises MailError or DatabaseError; then nothing is stored.
    """
    header = checked_header(message)
    received = without_our_results(message, header)
    trace = trace_block(transaction.arrival, transaction.sender)
    placements = _placements(transaction, Mail(transaction.sender, transaction.arrival, header))
    digest = digest_of(transaction.sender, transaction.recipients, message)
    if len(received) <= PREPARE_ON_LOOP_MAX:
        prepared = prepare(received, trace=trace)
    else:
        prepared = await dbthread.run(prepare, received, trace=trace)
    has_externals = any(target.externals for target in transaction.targets)
    also = functools.partial(_queue, transaction, received) if has_externals else None
    try:
        await deliver_async(Incoming(prepared, placements, also, about=digest, together=remember_all))
    except AlreadyAcceptedError:
        return Receipt(b"", ())
    return Receipt(digest, tuple(_events(transaction, prepared)))


def _placements(transaction: Transaction, mail: Mail) -> list[Placement]:
    at_us = int(transaction.arrival.at_s * 1_000_000)
    return [
        place(mail, account, Placement(account.id, matched_address=matched, internal_us=at_us))
        for account, matched in merge_accounts(transaction.targets).values()
    ]


def _queue(transaction: Transaction, received: bytes) -> None:
    """What leaves stands or falls with the rows of the mail, inside the writer's transaction."""
    for target in transaction.targets:
        if target.externals:
            queue_for_externals(target, transaction.sender, received, transaction.arrival)


def _events(transaction: Transaction, prepared: Prepared) -> Iterator[NewEvent]:
    """One RECEIVED event for each account, and one for each member whose mailbox had no room."""
    for account, matched in merge_accounts(transaction.targets).values():
        yield _event(transaction, account, matched, prepared)
    for target in transaction.targets:
        for member in target.full:
            yield _event(transaction, member, target.matched, prepared, error="over_quota")


def _event(
    transaction: Transaction, account: AccountRow, matched: str, prepared: Prepared, *, error: str = ""
) -> NewEvent:
    arrival = transaction.arrival
    return NewEvent(
        Kind.RECEIVED,
        at=datetime.datetime.fromtimestamp(arrival.at_s, datetime.UTC),
        domain_id=account.domain_id,
        account_id=account.id,
        address=account.address,
        protocol="smtp",
        remote_address=arrival.remote_address,
        succeeded=not error,
        error=error,
        data={"from": transaction.sender, "to": matched or account.address, "queue_id": arrival.queue_id}
        | {"size": prepared.size, "subject": prepared.subject},
    )
