"""Forwarding on the real road: to colleagues, to the outside after a yes, in circles, and what comes back."""

from __future__ import annotations

import email
import email.policy
import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import create_group, suspend_account
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from mailstore import blobs
from mailstore.models import Entry
from mta.inbound.filing import Verdict
from mta.models import AutoForward, Delivery, ForwardTarget, Submission
from mta.outbound import worker
from mta.services import submit
from mta.services.filters import create_filter
from mta.services.forwards import add_target, confirm_target, remove_target, set_forward
from mta.services.policy import update_mail_policy
from mta.services.senders import list_sender
from tests.factories import make_account
from tests.flows.test_mail_in import LETTER, code_of, send
from tests.mta.conftest import Running
from tests.mta.sink import Sink, remote
from tests.mta.test_submit import mails, request

pytestmark = pytest.mark.django_db(transaction=True)


def link_of(address: str) -> str:
    """The path of the link in the question that waits for this address."""
    row = Delivery.objects.select_related("submission").filter(recipient=address).latest("pk")
    question = email.message_from_bytes(blobs.get(row.submission.wire_blob_id), policy=email.policy.default)
    content = question.get_content()  # type: ignore[attr-defined]
    found = re.search(r"http://[^/]+(/forward/\S+/)", content)
    assert found is not None
    return found[1]


def agreed(account: Account, address: str, **more: Any) -> AutoForward:
    """Forwarding that the other side has said yes to, in the browser."""
    forward = set_forward(account, address, actor=account, **more)
    assert Client().post(link_of(address), {"answer": "yes"}).status_code == 200
    Submission.objects.all().delete()
    return forward


def test_only_a_button_behind_the_link_says_yes(alice: Account, client: Client) -> None:
    set_forward(alice, "Home@Far.example", actor=alice)
    link = link_of("home@far.example")
    page = client.get(link)
    assert page.status_code == 200
    assert "alice@example.test" in page.content.decode()
    assert ForwardTarget.objects.get().confirmed_at is None
    assert client.get(link.replace("/forward/", "/forward/x")).status_code == 404
    for _ in range(2):
        assert client.post(link).status_code == 200
    assert ForwardTarget.objects.get().confirmed_at is not None
    assert Event.objects.filter(kind=Kind.ADMIN, data__action="confirm_forward_target").count() == 1
    remove_target(ForwardTarget.objects.get(), actor=alice)
    assert not AutoForward.objects.exists()
    assert client.post(link).status_code == 404


def test_until_there_is_a_yes_mail_is_kept_and_goes_nowhere(running: Running, alice: Account) -> None:
    set_forward(alice, "home@far.example", keeps_copy=False)
    questions = Submission.objects.count()
    send(running, alice.address)
    assert len(mails(alice, "inbox")) == 1
    assert Submission.objects.count() == questions == 1


@pytest.mark.parametrize("keeps", [True, False])
def test_a_strangers_mail_goes_on_from_an_address_of_ours(
    running: Running, alice: Account, settings: Any, keeps: bool
) -> None:
    agreed(alice, "home@far.example", keeps_copy=keeps)
    sink = Sink()
    with remote(sink) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        send(running, alice.address)
        worker.send_due()
    (taken,) = sink.taken
    assert taken.recipients == ["home@far.example"]
    assert re.fullmatch(r"SRS0=\w+=\w+=\w+@example\.test", taken.sender)
    assert taken.content.endswith(LETTER)
    assert b"\r\nDelivered-To: alice@example.test\r\n" in taken.content
    assert len(mails(alice, "inbox")) == keeps
    # A report about it comes back to who forwards, and is not forwarded in its turn.
    assert code_of(running, taken.sender) == "550 5.1.1"
    send(running, taken.sender.lower(), sender="", message=b"Subject: undelivered\r\n\r\nSorry\r\n")
    assert len(mails(alice, "inbox")) == keeps + 1
    assert Submission.objects.count() == 1


def test_what_the_other_side_does_not_take_is_in_the_inbox_after_all(
    running: Running, alice: Account, settings: Any
) -> None:
    agreed(alice, "home@far.example", keeps_copy=False)
    sink = Sink()
    sink.replies = {"home@far.example": "550 5.1.1 no such user"}
    with remote(sink) as port:
        settings.ROUTES = {"*": f"127.0.0.1:{port}"}
        send(running, alice.address)
        worker.send_due()
    (kept,) = mails(alice, "inbox")
    assert kept.endswith(LETTER)
    assert Entry.objects.get().verdict == Verdict.CAME_BACK
    event = Event.objects.get(kind=Kind.DELIVERY, account_id=alice.pk)
    assert (event.succeeded, event.data["to"]) == (False, "home@far.example")


def test_a_mail_that_comes_round_stays(running: Running, alice: Account) -> None:
    agreed(alice, "home@far.example", keeps_copy=False)
    send(running, alice.address, message=b"Delivered-To: Alice@example.test\r\n" + LETTER)
    many = b"".join(b"Delivered-To: a%d@far.example\r\n" % number for number in range(5))
    send(running, alice.address, message=many + LETTER)
    assert len(mails(alice, "inbox")) == 2
    assert not Submission.objects.exists()


def test_colleagues_need_no_question_and_a_circle_of_them_ends(running: Running, alice: Account, bob: Account) -> None:
    carol = make_account("carol@example.test")
    set_forward(alice, bob.address, keeps_copy=False)
    set_forward(bob, carol.address)
    set_forward(carol, alice.address, keeps_copy=False)
    send(running, alice.address)
    submit(access_for(carol, carol.pk), request(alice.address, envelope_from=carol.address))
    # Carol's own forwarding leads back to who had it: nobody gets it, so she keeps it.
    assert [len(mails(each, "inbox")) for each in (alice, bob, carol)] == [0, 2, 2]
    assert not Delivery.objects.exclude(state="delivered").exists()


def test_a_colleague_who_can_not_take_it_costs_no_mail(running: Running, alice: Account, bob: Account) -> None:
    set_forward(alice, bob.address, keeps_copy=False)
    suspend_account(bob)
    send(running, alice.address)
    assert len(mails(alice, "inbox")) == 1


def test_junk_is_not_forwarded_and_a_filter_may(running: Running, alice: Account, bob: Account) -> None:
    condition = [{"what": "subject", "how": "is", "value": "hi"}]
    create_filter(alice, "on", conditions=condition, actions=[{"do": "forward", "target": bob.address}])
    list_sender(alice.domain, "pest@far.example", "block", account=alice)
    send(running, alice.address)
    send(running, alice.address, message=LETTER.replace(b"x@far", b"pest@far"))
    assert [len(mails(alice, "inbox")), len(mails(alice, "junk")), len(mails(bob, "inbox"))] == [1, 1, 1]
    for target in ("nobody@far.example", alice.address, "nobody@example.test"):
        with pytest.raises(MailError) as caught:
            create_filter(alice, "on", conditions=condition, actions=[{"do": "forward", "target": target}])
        assert caught.value.data == {"field": "actions", "number": 0, "wrong": "forward"}


def test_an_administrator_forbids_the_outside(running: Running, alice: Account, bob: Account) -> None:
    agreed(alice, "home@far.example", keeps_copy=False)
    set_forward(bob, alice.address)
    update_mail_policy(alice.domain, forwards_outside=False)
    send(running, alice.address)
    assert len(mails(alice, "inbox")) == 1
    assert not Submission.objects.exists()
    with pytest.raises(MailError) as caught:
        add_target(alice, "other@far.example", actor=alice)
    assert caught.value.kind is ErrorKind.NO_PERMISSION


def test_addresses_of_nobody_of_oneself_and_of_lists_are_refused(alice: Account, bob: Account) -> None:
    create_group(alice.domain, "team", name="Team", members=[bob])
    for address in ("", "nonsense", alice.address, "team@example.test", "nobody@example.test", "a b@far.example"):
        with pytest.raises(MailError) as caught:
            set_forward(alice, address)
        assert (caught.value.kind, caught.value.data["field"]) == (ErrorKind.INVALID, "address")
    with pytest.raises(MailError) as asked:
        confirm_target("nonsense")
    assert asked.value.kind is ErrorKind.NOT_FOUND


def test_nobody_is_asked_again_and_again(alice: Account) -> None:
    add_target(alice, "home@far.example")
    with pytest.raises(MailError) as caught:
        add_target(alice, "home@far.example")
    assert caught.value.kind is ErrorKind.LIMIT
    ForwardTarget.objects.update(asked_at="2026-01-01T00:00:00Z")
    add_target(alice, "home@far.example")
    assert Submission.objects.count() == 2
