"""Lists whose mail needs approval, and lists for chosen people, on the real road."""

from __future__ import annotations

import email
import email.policy
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, Group
from accounts.selectors import access_for
from accounts.services import add_alias, create_group, suspend_account, update_group
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from mailstore import blobs
from mta.company.policy import set_send_policy
from mta.models import Delivery, HeldPost
from mta.services import submit
from mta.services.moderation import decide_as_admin, expire_posts
from tests.factories import make_account
from tests.flows.test_mail_in import LETTER, code_of, send
from tests.mta.conftest import Running
from tests.mta.test_submit import RAW, mails, request

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "team@example.test"


@pytest.fixture
def team(alice: Account, bob: Account) -> Group:
    """Alice approves what is written to Bob and a guest."""
    return create_group(
        alice.domain,
        "team",
        name="Team",
        posting=Group.Posting.ANYONE,
        members=[bob],
        externals=["guest@far.example"],
        needs_approval=True,
        approver=alice,
    )


def question(account: Account) -> tuple[str, Any]:
    """The newest mail of the approver: the path of its link, the message."""
    message = email.message_from_bytes(mails(account, "inbox")[-1], policy=email.policy.default)
    found = re.search(r"http://[^/]+(/list-mail/\S+/)", message.get_content())  # type: ignore[attr-defined]
    assert found is not None
    return found[1], message


def test_a_mail_waits_until_the_approver_presses_a_button(
    running: Running, team: Group, alice: Account, bob: Account, client: Client
) -> None:
    send(running, LIST)
    assert not mails(bob, "inbox")
    link, message = question(alice)
    assert "x@far.example" in message.get_content()
    page = client.get(link, headers={"Accept-Language": "en"}).content.decode()
    assert "hi" in page
    assert LIST in page
    assert not mails(bob, "inbox")
    for answer in ("release", "refuse", "release"):
        assert client.post(link, {"answer": answer}).status_code == 200
    (received,) = mails(bob, "inbox")
    assert received.endswith(LETTER)
    assert received.startswith(b"Return-Path: <x@far.example>\r\nReceived: from ")
    (outside,) = Delivery.objects.filter(recipient="guest@far.example").select_related("submission")
    assert blobs.get(outside.submission.wire_blob_id).endswith(LETTER)
    event = Event.objects.get(kind=Kind.DELIVERY, protocol="list")
    assert (event.actor, event.data["state"]) == (alice.address, "list_released")


def test_a_mail_is_in_the_journal_when_it_is_let_on(
    running: Running, team: Group, alice: Account, bob: Account
) -> None:
    carol = make_account("carol@example.test")
    set_send_policy(alice.domain, journal_address=carol.address, journals_incoming=True)
    send(running, LIST)
    assert not [each for each in mails(carol, "inbox") if b"Recipient: bob@example.test" in each]
    decide_as_admin(HeldPost.objects.get(), release=True)
    (report,) = (each for each in mails(carol, "inbox") if b"Recipient: bob@example.test" in each)
    assert LETTER in report
    submit(access_for(bob, bob.pk), request(LIST, envelope_from=bob.address, raw=RAW.replace(b"alice@", b"bob@")))
    before = len(mails(carol, "inbox"))
    decide_as_admin(HeldPost.objects.get(state="waiting"), release=True)
    assert len(mails(carol, "inbox")) == before, "a colleague's is there since he sent it"


def test_a_colleagues_mail_waits_too_and_he_learns_that_it_was_refused(
    team: Group, alice: Account, bob: Account, client: Client
) -> None:
    carol = make_account("carol@example.test")
    submit(access_for(carol, carol.pk), request(LIST, envelope_from=carol.address, raw=RAW))
    link, _message = question(alice)
    client.post(link, {"answer": "refuse"})
    assert not mails(bob, "inbox")
    (told,) = mails(carol, "inbox")
    assert b"Auto-Submitted: auto-generated" in told
    submit(access_for(alice, alice.pk), request(LIST))  # the approver's own
    assert len(mails(bob, "inbox")) == 1
    assert HeldPost.objects.get().state == "refused"


def test_a_stranger_hears_nothing_and_a_week_is_the_end(running: Running, team: Group, alice: Account) -> None:
    send(running, LIST)
    post = HeldPost.objects.get()
    assert expire_posts() == 0
    HeldPost.objects.update(expires_at=timezone.now())
    assert expire_posts() == 1
    assert not HeldPost.objects.exists()
    assert not Delivery.objects.exists()
    assert decide_gone(post) is ErrorKind.NOT_FOUND
    assert Event.objects.get(kind=Kind.DELIVERY, protocol="list").data["state"] == "list_expired"


def decide_gone(post: HeldPost) -> ErrorKind | None:
    """What a decision about a row that is gone comes to."""
    try:
        decide_as_admin(post, release=True)
    except (MailError, HeldPost.DoesNotExist):
        return ErrorKind.NOT_FOUND
    return None


def test_without_an_approver_the_administrators_are_asked_and_may_decide(
    running: Running, team: Group, alice: Account, bob: Account, client: Client
) -> None:
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    suspend_account(alice)
    send(running, LIST)
    assert question(boss)[0]
    client.force_login(boss)
    post = HeldPost.objects.get()
    data = {"action": "release_selected", "_selected_action": [str(post.pk)]}
    assert client.post(reverse("admin:mta_heldpost_changelist"), data).status_code == 302
    assert len(mails(bob, "inbox")) == 1
    assert Event.objects.filter(kind=Kind.ADMIN, data__action="decide_post", actor=boss.address).exists()


def test_chosen_people_write_and_nobody_else(running: Running, team: Group, alice: Account, bob: Account) -> None:
    add_alias(bob, "robert")
    posters = "Friend@far.example, bob@example.test"
    update_group(team, posting="chosen", posters=posters, needs_approval=False)
    assert code_of(running, LIST, sender="friend@far.example") == "250 2.1.5"
    assert code_of(running, LIST, sender="x@far.example") == "550 5.7.1"
    submit(access_for(bob, bob.pk), request(LIST, envelope_from="robert@example.test"))
    assert len(mails(bob, "inbox")) == 1
    submit(access_for(alice, alice.pk), request(LIST))
    assert len(mails(bob, "inbox")) == 1


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"needs_approval": True, "approver": None}, "approver"),
        ({"posting": "chosen"}, "posters"),
        ({"posters": "not an address"}, "posters"),
    ],
)
def test_what_makes_no_sense_is_refused(team: Group, changes: dict[str, Any], wrong: str) -> None:
    with pytest.raises(MailError) as caught:
        update_group(team, **changes)
    assert (caught.value.kind, caught.value.data["field"]) == (ErrorKind.INVALID, wrong)
    stranger = make_account("x@other.test")
    with pytest.raises(MailError):
        update_group(team, approver=stranger)


def test_plus_addresses_catch_all_and_shared_mailboxes_are_reached(
    running: Running, alice: Account, bob: Account
) -> None:
    shared = make_account("info@example.test", kind=Account.Kind.SHARED)
    send(running, "info+web@example.test")
    assert len(mails(shared, "inbox")) == 1
