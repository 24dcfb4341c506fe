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

from accounts.models import Account, Address, Group
from accounts.selectors import access_for
from accounts.services import add_alias, create_group, suspend_account, update_group
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from mailstore import blobs
from mta.admin import moderation as admin_of_posts
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


def test_deleting_a_list_says_what_waits_for_it_and_its_authors_are_told(
    running: Running, team: Group, alice: Account, bob: Account, client: Client
) -> None:
    carol = make_account("carol@example.test")
    admin = make_account("admin@example.test", role=Account.Role.DOMAIN_ADMIN, language="en")
    url = reverse("admin:accounts_group_delete", args=[team.pk])
    client.force_login(admin)
    assert b"waits for approval" not in client.get(url).content
    send(running, LIST)
    submit(
        access_for(carol, carol.pk), request(LIST, envelope_from=carol.address, raw=RAW.replace(b"alice@", b"carol@"))
    )
    assert b"2 mails that wait for approval are rejected" in client.get(url).content
    assert client.post(url, {"post": "yes"}).status_code == 302
    assert not Group.objects.filter(pk=team.pk).exists()
    assert not HeldPost.objects.exists()
    assert not mails(bob, "inbox")
    (told,) = mails(carol, "inbox")
    text = email.message_from_bytes(told, policy=email.policy.default).get_content()  # type: ignore[attr-defined]
    assert LIST in text and "删除" in text
    events = Event.objects.filter(kind=Kind.DELIVERY, protocol="list")
    assert {(each.actor, each.data["state"]) for each in events} == {(admin.address, "list_refused")}


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
    assert not decide_as_admin(post, release=True)
    assert Event.objects.get(kind=Kind.DELIVERY, protocol="list").data["state"] == "list_expired"


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


@pytest.mark.parametrize("act", ["release_selected", "delete_selected"])
def test_an_administrator_who_decides_about_many_hears_of_each_what_came_of_it(
    running: Running,
    team: Group,
    alice: Account,
    bob: Account,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    act: str,
) -> None:
    client.force_login(make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN, language="en"))
    for number in range(4):
        send(running, LIST, sender=f"x{number}@far.example")
    first, second, third, last = HeldPost.objects.order_by("-created_at", "-pk")
    real = admin_of_posts.decide_as_admin

    def raced(post: HeldPost, **given: Any) -> bool:
        if post.pk == first.pk:
            HeldPost.objects.filter(pk=second.pk).update(state="refused")  # by another, after the list was read
            HeldPost.objects.filter(pk=third.pk).delete()
        if post.pk == last.pk:
            raise OSError("broken")
        return real(post, **given)

    monkeypatch.setattr(admin_of_posts, "decide_as_admin", raced)
    chosen = {"action": act, "post": "yes", "_selected_action": [post.pk for post in (first, second, third, last)]}
    page = client.post(reverse("admin:mta_heldpost_changelist"), chosen, follow=True).content.decode()
    assert ("1 mail approved" if act == "release_selected" else "1 mail rejected") in page
    assert "2 mails had been decided about before" in page
    assert "1 mail could not be passed on and still waits" in page
    assert len(mails(bob, "inbox")) == (act == "release_selected")
    assert Event.objects.filter(kind=Kind.ADMIN, data__action="decide_post").count() == 1
    last.refresh_from_db()
    assert last.state == "waiting"


def test_what_is_let_on_reaches_the_list_though_its_address_is_anothers_by_now(
    running: Running, team: Group, alice: Account, bob: Account
) -> None:
    carol = make_account("carol@example.test")
    send(running, LIST)
    Address.objects.filter(group=team).update(address="crew@example.test")
    add_alias(carol, "team")
    assert decide_as_admin(HeldPost.objects.get(), release=True)
    assert (len(mails(bob, "inbox")), len(mails(carol, "inbox"))) == (1, 0)


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
