"""The queue for operators: looked at, held, released, retried, emptied, within one's domain; and one id followed."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.admin_base import visible
from accounts.models import Account
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from mailstore import blobs
from mta.models import Delivery, Submission
from mta.outbound.queue import INDEXED, RELEASED, claim
from mta.selectors.queue import count_by_state, follow, waiting
from mta.services import queue_acts
from mta.services.system_mail import queue_mail
from tests.administered import waiting_delivery
from tests.factories import make_account
from tests.mta.conftest import Running

pytestmark = pytest.mark.django_db
LATER = 2**61


def mailq(*arguments: str) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("mailq", *arguments, stdout=out)
    return out.getvalue()


def test_held_mail_is_never_due_until_it_is_released(alice: Account) -> None:
    delivery = waiting_delivery(alice, "x@far.example")
    assert queue_acts.hold([delivery.pk]) == 1
    assert claim(LATER) == []
    assert count_by_state() == {"hold": 1}
    assert queue_acts.retry_now([delivery.pk]) == 0, "held is held"
    assert queue_acts.release_held([delivery.pk]) == 1
    assert [each.id for each in claim(LATER)] == [delivery.pk]
    assert queue_acts.hold([delivery.pk]) == 0, "a worker has it now"
    acts = Event.objects.filter(kind=Kind.ADMIN, data__action__endswith="_deliveries")
    assert [event.data["action"] for event in acts.order_by("pk")] == ["hold_deliveries", "release_deliveries"]


def test_what_is_deleted_ends_and_is_told_to_the_log(alice: Account) -> None:
    delivery = waiting_delivery(alice, "x@far.example")
    assert queue_acts.discard([delivery.pk]) == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.code) == ("cancelled", "5.7.0")
    assert Event.objects.get(kind=Kind.DELIVERY).data["state"] == "cancelled"
    assert not waiting().exists()


def test_another_domains_mail_is_not_ones_own(alice: Account, charlie: Account) -> None:
    boss = make_account("boss@elsewhere.test", role=Account.Role.DOMAIN_ADMIN)
    theirs, ours = waiting_delivery(alice, "x@far.example"), waiting_delivery(charlie, "y@far.example")
    with pytest.raises(MailError) as raised:
        queue_acts.hold([ours.pk, theirs.pk], actor=boss)
    assert raised.value.kind is ErrorKind.NOT_FOUND
    assert count_by_state() == {"deferred": 2}
    assert [each.pk for each in waiting(domain_id=charlie.domain_id)] == [ours.pk]


def test_mail_without_a_person_belongs_to_the_domain_it_comes_of(alice: Account, charlie: Account) -> None:
    boss = make_account("boss@elsewhere.test", role=Account.Role.DOMAIN_ADMIN)
    content = blobs.encode(b"Subject: x\r\n\r\nx\r\n")
    theirs, ours = (
        queue_mail(each.domain_id, ["x@far.example"], content, message_id="", subject="x", envelope_from="")
        for each in (alice, charlie)
    )
    assert [each.pk for each in visible(Submission.objects.all(), boss)] == [ours]
    assert [each.submission_id for each in visible(waiting(), boss)] == [ours]
    Submission.objects.filter(pk=theirs).update(mailbox_id=2**40)  # as if its owner were gone
    with pytest.raises(MailError):
        queue_acts.discard([Delivery.objects.get(submission=theirs).pk], actor=boss)


def test_the_command_lists_says_why_and_acts(alice: Account) -> None:
    first, second = waiting_delivery(alice, "x@far.example"), waiting_delivery(alice, "y@near.example")
    Delivery.objects.filter(pk=first.pk).update(code="4.4.1", text="no answer", remote_host="mx.far.example")
    Delivery.objects.filter(pk=second.pk).update(domain="near.example")
    assert "x@far.example  4.4.1 no answer" in mailq()
    assert "2 deferred" in mailq()
    assert "mx.far.example said: 4.4.1 no answer" in mailq("why", str(first.pk))
    assert mailq("hold", "--to", "NEAR.example") == "1 deliveries\n"
    assert mailq("release", "--all") == "1 deliveries\n"
    assert mailq("delete", str(first.pk), str(second.pk)) == "2 deliveries\n"
    assert mailq() == "The queue is empty.\n"


def test_the_page_shows_and_acts(alice: Account, client: Client) -> None:
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    delivery = waiting_delivery(alice, "x@far.example")
    client.force_login(boss)
    url = reverse("admin:mta_delivery_changelist")
    assert "x@far.example" in client.get(url).content.decode()
    assert client.get(reverse("admin:mta_delivery_change", args=[delivery.pk])).status_code == 200
    client.post(url, {"action": "hold", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    assert delivery.on_hold
    client.post(url, {"action": "discard", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    assert delivery.state == "cancelled"


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (f"SELECT id FROM mta_delivery WHERE {INDEXED} AND next_attempt_us <= 5 LIMIT 1", "delivery_due"),
        (
            f"SELECT submission_id FROM mta_delivery WHERE {RELEASED} AND next_attempt_us <= 5 "
            "ORDER BY next_attempt_us LIMIT 100",
            "delivery_release",
        ),
        (f"SELECT id FROM mta_delivery WHERE {INDEXED} ORDER BY next_attempt_us, id LIMIT 50", "delivery_due"),
    ],
    ids=["sweep", "releases", "page"],
)
def test_every_question_about_the_queue_goes_along_its_index(alice: Account, statement: str, index: str) -> None:
    submission = waiting_delivery(alice, "x@far.example").submission_id
    Delivery.objects.bulk_create(
        Delivery(
            submission_id=submission,
            recipient=f"{number}@far.example",
            domain="far.example",
            state=("queued", "deferred", "held", "accepted")[number % 4],
            next_attempt_us=number,
            updated_us=number,
        )
        for number in range(2_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE mta_delivery")
        cursor.execute(f"{'EXPLAIN' if connection.vendor == 'postgresql' else 'EXPLAIN QUERY PLAN'} {statement}")
        assert index in str(cursor.fetchall())


def test_a_long_queue_is_not_counted_to_its_end(
    client: Client, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.admin_facts.COUNTED_MAX", 2)
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    for recipient in ("a@far.example", "b@far.example"):
        waiting_delivery(alice, recipient)
    client.force_login(boss)
    url = reverse("admin:mta_delivery_changelist")
    assert "2" not in said(client.get(url))
    waiting_delivery(alice, "c@far.example")
    assert "2" in said(client.get(url))


def said(answer: Any) -> str:
    """The messages of a page."""
    return " ".join(str(message) for message in answer.context["messages"])


@pytest.mark.django_db(transaction=True)
def test_one_id_leads_from_smtp_to_the_mailbox_and_out(
    running: Running, alice: Account, bob: Account, settings: Any
) -> None:
    from tests.factories import PASSWORD

    with running.client(running.submission) as client:
        client.starttls()
        client.login(alice.address, PASSWORD)
        client.sendmail(alice.address, [bob.address, "x@far.example"], b"From: alice@example.test\r\n\r\nhi\r\n")
    submission = Submission.objects.get()
    way = follow(submission.queue_id)
    assert [event.data["to"] for event in way.events] == [bob.address]
    assert [delivery.recipient for delivery in way.deliveries if delivery.state == "queued"] == ["x@far.example"]
    assert "x@far.example" in mailq("follow", submission.queue_id)
    assert "Nothing is known" in mailq("follow", "nonsense")
