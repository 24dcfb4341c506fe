"""What an administrator lets an account do: sign in to the pages, and who may rule it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account, AccountRights
from accounts.services import remove_rights, set_rights
from accounts.sign_in import Reason, SignInError, sign_in
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from tests.factories import PASSWORD, make_account

pytestmark = pytest.mark.django_db


def refusal(account: Account, protocol: str = "web", remote_address: str = "192.0.2.1") -> Reason | None:
    """Why a sign-in with the right password is refused."""
    try:
        sign_in(account.address, PASSWORD, host=None, protocol=protocol, remote_address=remote_address)
    except SignInError as error:
        return error.reason
    return None


def test_the_pages_may_be_closed_and_whoever_is_in_goes_out(alice: Account, client: Client) -> None:
    assert refusal(alice) is None
    client.force_login(alice)
    assert client.get(reverse("home")).status_code == 200
    rights = set_rights(alice, web=False)
    assert refusal(alice) is Reason.PROTOCOL
    assert refusal(alice, "imap") is None
    assert client.get(reverse("home")).status_code == 302
    page = client.post(reverse("sign_in"), {"login": alice.address, "password": PASSWORD})
    assert (page.status_code, "管理员" in page.content.decode()) == (422, True)
    remove_rights(rights)
    assert refusal(alice) is None


def test_the_pages_may_be_open_from_some_addresses(alice: Account) -> None:
    set_rights(alice, networks="198.51.100.0/24, 2001:db8::/32")
    assert refusal(alice) is Reason.NETWORK
    assert refusal(alice, remote_address="198.51.100.7") is None
    assert refusal(alice, remote_address="2001:db8::7") is None


def test_only_his_administrator_rules_it_and_not_himself(alice: Account) -> None:
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    stranger = make_account("x@other.test", role=Account.Role.DOMAIN_ADMIN)
    for actor, kind in ((alice, ErrorKind.NO_PERMISSION), (stranger, ErrorKind.NOT_FOUND)):
        with pytest.raises(MailError) as caught:
            set_rights(alice, web=False, actor=actor)
        assert caught.value.kind is kind
    with pytest.raises(MailError) as locked:
        set_rights(boss, web=False, actor=boss)
    assert locked.value.kind is ErrorKind.IN_USE
    for wrong in ({"networks": "nonsense"}, {"max_recipients": 0}, {"quota_bytes": 1}):
        with pytest.raises(MailError) as caught:
            set_rights(alice, actor=boss, **wrong)
        assert (caught.value.kind, caught.value.data["field"]) == (ErrorKind.INVALID, next(iter(wrong)))


def test_an_administrator_sets_them_on_a_page(alice: Account, client: Client) -> None:
    boss = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    client.force_login(boss)
    data = {"account": alice.pk, "sends_outside": "on", "receives_outside": "on", "message_max_bytes": "5"}
    assert client.post(reverse("admin:accounts_accountrights_add"), data).status_code == 302
    rights = AccountRights.objects.get(pk=alice.pk)
    assert (rights.web, rights.sends_outside, rights.message_max_bytes) == (False, True, 5 << 20)
    event = Event.objects.get(kind=Kind.ADMIN, data__action="set_rights")
    assert event.data["changes"]["web"] == ["True", "False"]
