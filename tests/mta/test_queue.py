"""Claims, retries and groups of the outgoing queue."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from mta.models import Delivery, Submission
from mta.outbound import queue
from mta.outbound.queue import (
    CLAIM_S,
    by_destination,
    claim,
    due_releases,
    is_anything_due,
    is_too_old,
    next_attempt_us,
)

pytestmark = pytest.mark.django_db
State = Delivery.State
NOW = 1_800_000_000_000_000


def waiting(*recipients: str, state: str = State.QUEUED, at: int = NOW) -> Submission:
    """A submission whose deliveries are due at `at`."""
    submission = Submission.objects.create(
        mailbox_id=1,
        domain_id=1,
        actor_id=1,
        origin="web",
        envelope_from="a@example.test",
        wire_blob_id=1,
        created_us=NOW,
    )
    for recipient in recipients:
        Delivery.objects.create(
            submission=submission,
            recipient=recipient,
            domain=recipient.rpartition("@")[2],
            state=state,
            next_attempt_us=at,
            updated_us=at,
        )
    return submission


def test_what_is_due_is_claimed_once_oldest_first() -> None:
    waiting("late@b.example", at=NOW)
    waiting("early@b.example", at=NOW - 5)
    waiting("future@b.example", at=NOW + 1)
    assert [each.recipient for each in claim(NOW, limit=1)] == ["early@b.example"]
    assert [each.recipient for each in claim(NOW)] == ["late@b.example"]
    assert claim(NOW) == []


def test_a_dead_workers_claim_ends_by_itself() -> None:
    waiting("b@b.example")
    first = claim(NOW)[0]
    assert claim(NOW + CLAIM_S * 1_000_000 - 1) == []
    again = claim(NOW + CLAIM_S * 1_000_000)[0]
    assert (again.id, again.tries) == (first.id, 2)
    assert again.until_us > first.until_us


@pytest.mark.parametrize(
    "state", [State.HELD, State.APPROVAL, State.DELIVERED, State.ACCEPTED, State.BOUNCED, State.CANCELLED]
)
def test_only_what_waits_for_the_network_is_claimed(state: str) -> None:
    waiting("b@b.example", state=state)
    assert claim(NOW) == []


def test_the_claim_uses_the_index_of_due_rows() -> None:
    first = waiting("b@b.example").deliveries.get()
    Delivery.objects.bulk_create(
        Delivery(
            submission_id=first.submission_id, recipient=f"{number}@b.example", domain="b.example",
            state=(State.QUEUED, State.HELD)[number % 2], next_attempt_us=number, updated_us=NOW,
        )
        for number in range(2_000)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE mta_delivery")
        explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        cursor.execute(
            f"{explain} SELECT id FROM mta_delivery WHERE state IN ('queued', 'deferred', 'sending') "
            "AND next_attempt_us <= 1000 AND state IN ('held', 'scheduled', 'queued', 'sending', 'deferred') "
            "ORDER BY next_attempt_us LIMIT 5"
        )
        assert "delivery_due" in str(cursor.fetchall())


def test_held_mail_is_released_when_its_time_has_come() -> None:
    due = waiting("a@b.example", "c@b.example", state=State.HELD)
    waiting("later@b.example", state=State.HELD, at=NOW + 1)
    assert due_releases(NOW) == [due.pk]
    assert is_anything_due(NOW)
    assert not is_anything_due(NOW - 1)


def test_the_wait_doubles_up_to_two_hours_a_fifth_more_or_less() -> None:
    for tries in range(1, 40):
        usual_s = min(queue.FIRST_RETRY_S * 2 ** (tries - 1), queue.LAST_RETRY_S)
        wait_s = (next_attempt_us(NOW, tries) - NOW) / 1_000_000
        assert usual_s * 0.8 <= wait_s <= usual_s * 1.2


def test_five_days_are_enough(settings: Any) -> None:
    settings.RETRY_FOR_S = 100
    assert not is_too_old(NOW, NOW + 100_000_000)
    assert is_too_old(NOW, NOW + 100_000_001)


def test_one_transaction_carries_one_message_to_one_domain() -> None:
    waiting("a@B.example", "b@b.example", "c@c.example")
    waiting("a@b.example")
    groups = by_destination(claim(NOW))
    assert sorted(sorted(each.recipient for each in group) for group in groups) == [
        ["a@B.example", "b@b.example"],
        ["a@b.example"],
        ["c@c.example"],
    ]
