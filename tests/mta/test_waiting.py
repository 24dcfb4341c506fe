"""Erasing an account: what waits is named before, stopped, and those whom it concerns are told."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import create_group, erase_account, grant_mailbox
from mailstore.message import read
from mailstore.models import Role
from mta.approval.rules import create_rule
from mta.models import Approval, Delivery, HeldPost, QuarantinedMail, Submission
from mta.services import submit
from mta.services.release import release
from mta.services.waiting import lost_with
from tests.factories import make_account, quarantined
from tests.mta.test_schedule import later_us
from tests.mta.test_submit import mails, request

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(alice: Account) -> Account:
    """Who must agree to what leaves the company."""
    boss = make_account("boss@example.test", language="en")
    create_rule(alice.domain, name="outside", approver=boss)
    return boss


@pytest.fixture
def admin(alice: Account) -> Account:
    """The company's administrator."""
    return make_account("admin@example.test", role=Account.Role.DOMAIN_ADMIN, language="en")


def states() -> set[str]:
    """Where all deliveries stand."""
    return set(Delivery.objects.values_list("state", flat=True))


def texts(account: Account) -> str:
    """All that is said in somebody's inbox."""
    return "".join(read(raw).text or "" for raw in mails(account, "inbox"))


def test_what_waits_is_named_and_does_not_leave_in_the_name_of_somebody_who_is_gone(
    alice: Account, bob: Account, boss: Account, admin: Account, client: Client
) -> None:
    mine = access_for(alice, alice.pk)
    client.force_login(admin)
    url = reverse("admin:accounts_account_delete", args=[alice.pk])
    assert lost_with(alice) == []
    scheduled = submit(mine, request(bob.address, schedule_us=later_us(48)))
    submit(mine, request("x@far.example"))
    quarantined(alice)
    page = client.get(url).content.decode()
    assert "2 mails that are scheduled or wait for approval are not sent" in page
    assert "1 mail in quarantine is deleted" in page
    assert client.post(url, {"post": "yes"}).status_code == 302
    assert states() == {Delivery.State.CANCELLED}
    assert not release(scheduled)
    assert Approval.objects.get().state == Approval.State.WITHDRAWN
    assert len(mails(alice, Role.DRAFTS)) == 2
    assert not mails(bob, "inbox")
    assert not QuarantinedMail.objects.exists()


def test_what_has_left_its_author_goes_its_way(alice: Account) -> None:
    submit(access_for(alice, alice.pk), request("x@far.example"))
    assert lost_with(alice) == []
    erase_account(alice)
    assert states() == {Delivery.State.QUEUED}


def test_who_wrote_from_a_mailbox_that_goes_is_told(alice: Account, bob: Account) -> None:
    grant_mailbox(alice, bob, "sender")
    submit(access_for(bob, alice.pk), request(bob.address, actor_id=bob.pk, schedule_us=later_us(48)))
    erase_account(alice)
    assert alice.address in texts(bob)
    assert not Submission.objects.filter(is_gated=True).exists()


@pytest.mark.parametrize("has_substitute", [True, False], ids=["the substitute", "an administrator"])
def test_somebody_else_is_asked_about_mail_that_waited_for_his_decision(
    alice: Account, bob: Account, admin: Account, has_substitute: bool
) -> None:
    boss = make_account("boss@example.test")
    create_rule(alice.domain, name="outside", approver=boss, substitute=bob if has_substitute else None)
    create_group(alice.domain, "team", name="Team", members=[bob], needs_approval=True, approver=boss)
    submit(access_for(alice, alice.pk), request("x@far.example"))
    submit(access_for(alice, alice.pk), request("team@example.test"))
    (said,) = lost_with(boss)
    assert re.findall(r"\d+", said) == ["2"]
    before = len(mails(admin, "inbox")), len(mails(bob, "inbox"))
    erase_account(boss)
    now = len(mails(admin, "inbox")), len(mails(bob, "inbox"))
    assert (now[0] - before[0], now[1] - before[1]) == ((1, 1) if has_substitute else (2, 0))
    assert "team@example.test" in texts(admin)
    assert Approval.objects.get().state == Approval.State.PENDING
    assert HeldPost.objects.get().state == HeldPost.State.WAITING
