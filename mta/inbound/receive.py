"""A message of a stranger into the mailboxes: trace, steps, one group-committed transaction, then 250.

The writer's transaction holds everything that must stand or fall together: message rows, the `accepted` row, log
events, and the queue rows for external members of lists. Nothing is spooled; a refusal is given in the dialogue.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import secrets
import time
from collections.abc import Sequence

from accounts.rows import AccountRow
from core import dbthread
from logs_app.models import Kind
from logs_app.services import record
from mailstore.services.deliver import Incoming, Placement, Prepared, deliver, prepare
from mta.inbound.accepted import AlreadyAccepted, digest_of, remember
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


def new_queue_id(at_s: float) -> str:
    """A short name for one transaction, in the Received line and the log."""
    return f"{int(at_s * 1000):x}{secrets.token_hex(3)}"


async def receive(transaction: Transaction, message: bytes) -> bytes | None:
    """Store `message` for every target, durably. Returns the digest to forget once the client has read the 250,
    or None when the same transaction was stored before. Raises MailError or DatabaseError; then nothing is stored."""
    header = checked_header(message)
    received = without_our_results(message, header)
    trace = trace_block(transaction.arrival, transaction.sender)
    placements = _placements(transaction, Mail(transaction.sender, transaction.arrival, header))
    digest = digest_of(transaction.sender, transaction.recipients, message)
    if len(received) <= PREPARE_ON_LOOP_MAX:
        prepared = prepare(received, trace=trace)
    else:
        prepared = await dbthread.run(prepare, received, trace=trace)
    also = functools.partial(_also, transaction, received, prepared, digest)
    try:
        await asyncio.wrap_future(deliver(Incoming(prepared, placements, also)))
    except AlreadyAccepted:
        return None
    return digest


def _placements(transaction: Transaction, mail: Mail) -> list[Placement]:
    return [
        place(mail, account, Placement(account.id, matched_address=matched))
        for account, matched in merge_accounts(transaction.targets).values()
    ]


def _also(transaction: Transaction, received: bytes, prepared: Prepared, digest: bytes) -> None:
    """What is written with the rows of the mail, inside the writer's transaction."""
    remember(digest, time.time_ns() // 1000)
    for account, matched in merge_accounts(transaction.targets).values():
        _log(transaction, account, matched, prepared)
    for target in transaction.targets:
        for member in target.full:
            _log(transaction, member, target.matched, prepared, error="over_quota")
        if target.externals:
            queue_for_externals(target, transaction.sender, received, transaction.arrival)


def _log(
    transaction: Transaction, account: AccountRow, matched: str, prepared: Prepared, *, error: str = ""
) -> None:
    arrival = transaction.arrival
    record(
        Kind.RECEIVED,
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
