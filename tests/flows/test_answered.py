"""Automatic replies on the real road."""

from __future__ import annotations

import datetime
import email
import email.policy
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import add_alias, add_domain_alias, create_group
from core.errors import ErrorKind, MailError
from mailstore import blobs
from mta.models import AutoReplied, Delivery, Submission
from mta.services import submit
from mta.services.filters import create_filter
from mta.services.replies import remove_reply, set_reply
from mta.services.senders import list_sender
from tests.flows.test_mail_in import send
from tests.mta.conftest import Running
from tests.mta.test_submit import mails, request

pytestmark = pytest.mark.django_db(transaction=True)

DAY = datetime.timedelta(days=1)


def letter(to: str, *, subject: str = "=?utf-8?B?5L2g5aW9?=", number: int = 1) -> bytes:
    """A stranger's mail."""
    head = f"From: Wang <wang@far.example>\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <m{number}@far.example>\r\n"
    return f"{head}References: <root@far.example>\r\n\r\nHello {number}\r\n".encode()


def replies() -> list[Any]:
    """Every reply that waits in the queue: (recipient, message)."""
    found = []
    for row in Delivery.objects.order_by("pk").select_related("submission"):
        assert row.submission.envelope_from == ""
        content = blobs.get(row.submission.wire_blob_id)
        found.append((row.recipient, email.message_from_bytes(content, policy=email.policy.default)))
    return found


def test_a_stranger_gets_one_answer_from_the_address_he_wrote_to(running: Running, alice: Account) -> None:
    add_alias(alice, "shop")
    add_domain_alias(alice.domain, "example.alias")
    set_reply(alice, text="休假中", outside_text="Back on Monday", actor=alice)
    for number, to in enumerate(("Shop+news@Example.alias", "alice@example.test")):
        send(running, to.lower(), message=letter(to, number=number), sender="wang@far.example")
    ((recipient, reply),) = replies()
    assert recipient == "wang@far.example"
    assert reply["From"].addresses[0].addr_spec == "shop@example.alias"
    assert reply["To"] == "wang@far.example"
    assert reply["Subject"] == "自动回复：你好"
    assert (reply["Auto-Submitted"], reply["In-Reply-To"]) == ("auto-replied", "<m0@far.example>")
    assert reply["References"] == "<root@far.example> <m0@far.example>"
    assert reply.get_content().strip() == "Back on Monday"
    assert len(mails(alice, "inbox")) == 2


def test_after_some_days_he_gets_another_and_after_a_change_too(running: Running, alice: Account) -> None:
    reply = set_reply(alice, text="away", every_days=2)
    send(running, alice.address, message=letter(alice.address))
    AutoReplied.objects.update(at_us=int((timezone.now() - 3 * DAY).timestamp() * 1_000_000))
    send(running, alice.address, message=letter(alice.address, number=2))
    assert len(replies()) == 2
    set_reply(alice, text="away for longer")
    send(running, alice.address, message=letter(alice.address, number=3))
    assert len(replies()) == 3
    remove_reply(reply)
    send(running, alice.address, message=letter(alice.address, number=4), sender="other@far.example")
    assert len(replies()) == 3


def test_a_colleague_gets_the_inner_text_at_once_and_by_his_own_filters(
    running: Running, alice: Account, bob: Account
) -> None:
    set_reply(alice, text="休假中", outside_text="away", answers_outside=False)
    set_reply(bob, text="me too")
    rule = {"what": "header", "header": "auto-submitted", "how": "present"}
    create_filter(bob, "machines", conditions=[rule], actions=[{"do": "delete"}])
    raw = (
        b"Message-ID: <c@example.test>\r\nFrom: bob@example.test\r\nTo: alice@example.test\r\nSubject: x\r\n\r\nhi\r\n"
    )
    submit(access_for(bob, bob.pk), request(alice.address, envelope_from=bob.address, raw=raw))
    (reply,) = mails(bob, "trash")
    assert "休假中".encode() in email.message_from_bytes(reply).get_payload(decode=True)  # type: ignore[operator]
    assert len(mails(alice, "inbox")) == 1  # two machines don't talk to each other
    send(running, alice.address, message=letter(alice.address))
    send(running, alice.address, message=letter(alice.address), sender=bob.address)  # says he is Bob
    assert len(mails(bob, "trash")) == 1
    assert not Delivery.objects.filter(recipient="wang@far.example").exists()


def test_who_was_not_meant_in_person_answers_nothing(running: Running, alice: Account, bob: Account) -> None:
    set_reply(alice, text="away")
    set_reply(bob, text="away")
    list_sender(bob.domain, "wang@far.example", "block", account=bob)
    create_group(alice.domain, "team", name="Team", posting="anyone", members=[alice, bob])
    for to in ("team@example.test", "bob@example.test", "x@far.example"):
        send(running, "team@example.test" if to.startswith("team") else alice.address, message=letter(to))
    send(running, bob.address, message=letter(bob.address), sender="li@far.example")  # in Junk it lies unanswered
    assert len(mails(bob, "junk")) == 2
    assert not replies()


@pytest.mark.parametrize(("begins", "ends", "count"), [(-1, 1, 1), (1, 2, 0), (-2, -1, 0), (-1, None, 1)])
def test_only_in_its_time(running: Running, alice: Account, begins: int, ends: int | None, count: int) -> None:
    now = timezone.now()
    set_reply(alice, text="away", begins_at=now + begins * DAY, ends_at=None if ends is None else now + ends * DAY)
    send(running, alice.address, message=letter(alice.address))
    assert len(replies()) == count


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"text": " "}, "text"),
        ({"text": "x" * 10_001}, "text"),
        ({"text": "x", "every_days": 0}, "every_days"),
        ({"text": "x", "begins_at": timezone.now(), "ends_at": timezone.now() - DAY}, "ends_at"),
        ({"text": "x", "account_id": 1}, "account_id"),
    ],
    ids=["empty", "long", "days", "period", "unknown"],
)
def test_what_makes_no_sense_is_refused(alice: Account, fields: dict[str, Any], wrong: str) -> None:
    with pytest.raises(MailError) as caught:
        set_reply(alice, **fields)
    assert (caught.value.kind, caught.value.data["field"]) == (ErrorKind.INVALID, wrong)


def test_an_answer_that_can_not_be_given_costs_no_mail(
    running: Running, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **named: object) -> None:
        raise MailError(ErrorKind.UNAVAILABLE)

    monkeypatch.setattr("mta.services.effects.send_alone", broken)
    set_reply(alice, text="away")
    send(running, alice.address, message=letter(alice.address))
    assert len(mails(alice, "inbox")) == 1
    assert not Submission.objects.exists()
