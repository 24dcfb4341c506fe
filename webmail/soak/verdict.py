"""The end of a run: time passes until nothing waits any more; then the store is held against the ledger."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator

from core.jobs import wake
from mailstore import sql
from mailstore.check_store import check_store
from mta.models import Delivery
from mta.outbound.queue import CLAIM_S, LAST_RETRY_S
from webmail.soak.ledger import Ledger

State = Delivery.State
WAITING = (State.HELD, State.APPROVAL, State.SCHEDULED, State.QUEUED, State.SENDING, State.DEFERRED)
DRAIN_S = 120.0
SHOWN = 10


def stuck_deliveries() -> Iterator[str]:
    """Deliveries that wait for a moment that lies too far away, or for none."""
    latest_us = time.time_ns() // 1000 + int(1.2 * max(LAST_RETRY_S, CLAIM_S)) * 1_000_000
    for row in Delivery.objects.filter(state__in=WAITING).exclude(next_attempt_us__range=(1, latest_us)):
        yield f"delivery {row.pk} is {row.state} until {row.next_attempt_us}"


def drain() -> Iterator[str]:
    """Let the waiting times be over, again and again, until every delivery has an end."""
    deadline = time.monotonic() + DRAIN_S
    waiting = Delivery.objects.filter(state__in=WAITING)
    while waiting.exists() and time.monotonic() < deadline:
        waiting.update(next_attempt_us=time.time_ns() // 1000)
        wake("mta.send_due")
        time.sleep(2)
    for row in waiting[:SHOWN]:
        yield f"delivery {row.pk} to {row.recipient} is still {row.state} ({row.code} {row.text})"
    for row in Delivery.objects.filter(state__in=[State.BOUNCED, State.CANCELLED, State.RECALLED])[:SHOWN]:
        yield f"delivery {row.pk} to {row.recipient} ended as {row.state} ({row.code} {row.text})"


def broken_promises(ledger: Ledger, taken: set[str]) -> Iterator[str]:
    """Mails that do not lie where they were promised, as often as they were promised; and what was never promised."""
    stored = copies()
    for token, promised in ledger.copies.items():
        if stored.get(token, Counter()) != promised:
            yield f"{token} lies in {dict(stored.get(token, {}))}, promised were {dict(promised)}"
    for token in stored.keys() - ledger.copies.keys():
        yield f"{token} lies in {dict(stored[token])} and was never answered"
    for token in ledger.remote - taken:
        yield f"{token} never reached the remote server"


def copies() -> dict[str, Counter[int]]:
    """Token to mailbox to how often it lies there, recovery included."""
    query = (
        "SELECT m.subject, e.mailbox_id FROM mailstore_message m JOIN (SELECT mailbox_id, message_id FROM mailstore_entry "
        "UNION ALL SELECT mailbox_id, message_id FROM mailstore_recoverable) e ON e.message_id = m.id "
        "WHERE m.subject LIKE 'soak-%%'"
    )
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for token, mailbox in sql.rows(query, []):
        found[token][mailbox] += 1
    return found


def disagreeing_rows() -> Iterator[str]:
    """What `check_store` says."""
    for finding in check_store():
        yield f"check_store: {finding}"
