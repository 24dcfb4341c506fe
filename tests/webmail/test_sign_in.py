"""The sign-in page: who gets in, what is said to others, and where one lands."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts import throttle
from accounts.models import Account
from accounts.services import add_alias, suspend_account
from logs_app.models import Event
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
URL = "/sign-in/"


@pytest.fixture
def client() -> Client:
    return Client(headers={"Accept-Language": "en"})


def enter(client: Client, login: str, password: str = PASSWORD, **more: Any) -> Any:
    headers = {"Host": more.pop("host")} if "host" in more else {}
    return client.post(URL, {"login": login, "password": password, **more}, headers=headers)


def test_the_whole_address_leads_home(client: Client, alice: Account) -> None:
    assert enter(client, " Alice@Example.test ")["Location"] == "/"
    assert client.get("/").status_code == 200


def test_the_name_alone_is_enough_on_the_companys_host(client: Client, alice: Account) -> None:
    assert "@example.test" in client.get(URL, headers={"Host": "webmail.example.test"}).content.decode()
    assert enter(client, "alice", host="webmail.example.test").status_code == 302
    refused = enter(Client(headers={"Accept-Language": "en"}), "alice")
    assert refused.status_code == 422
    assert "whole address" in refused.content.decode()


def test_an_alias_signs_in_and_is_recorded(client: Client, alice: Account) -> None:
    add_alias(alice, "ally")
    assert enter(client, "ally@example.test").status_code == 302
    assert Event.objects.filter(data__alias="ally@example.test").exists()


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("alice@example.test", "wrong"),
        ("nobody@example.test", PASSWORD),
        ("", ""),
        ("a@b\0", "x"),
        ("x" * 5000, "y" * 100_000),
    ],
)
def test_a_refusal_says_nothing_about_who_exists(client: Client, alice: Account, login: str, password: str) -> None:
    answer = enter(client, login, password)
    assert answer.status_code in {400, 422}
    text = answer.content.decode()
    if answer.status_code == 422 and "@" in login:
        assert "Account or password is wrong" in text
        assert 'role="alert"' in text
    assert "sessionid" not in client.cookies


def test_a_suspended_account_is_told_so_only_with_the_right_password(client: Client, alice: Account) -> None:
    suspend_account(alice)
    assert "suspended" in enter(client, alice.address).content.decode()
    assert "suspended" not in enter(client, alice.address, "wrong").content.decode()


def test_too_many_attempts_say_how_long_to_wait(
    client: Client, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "_quiet_until", float("inf"))
    for _attempt in range(throttle.ACCOUNT_FAILURES):
        answer = enter(client, alice.address, "wrong")
    assert "Too many attempts" in answer.content.decode()
    assert "minute" in answer.content.decode()
    assert answer.status_code == 422


def test_what_was_typed_stays_but_never_the_password(client: Client, alice: Account) -> None:
    text = enter(client, alice.address, "secret-typo", remember="1").content.decode()
    assert f'value="{alice.address}"' in text
    assert "secret-typo" not in text
    assert "checked" in text


def test_the_name_is_remembered_when_asked_for_and_forgotten_otherwise(client: Client, alice: Account) -> None:
    answer = enter(client, alice.address, remember="1")
    cookie = answer.cookies["account"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    client.post("/sign-out/")
    assert f'value="{alice.address}"' in client.get(URL).content.decode()
    enter(client, alice.address)
    client.post("/sign-out/")
    assert alice.address not in client.get(URL).content.decode()


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test",
        "javascript:alert(1)",
        "http:evil",
        "\\\\evil.test",
        " //evil.test",
    ],
)
@pytest.mark.parametrize("signed_in", [True, False])
def test_nobody_is_sent_elsewhere(client: Client, alice: Account, wanted: str, signed_in: bool) -> None:
    if signed_in:
        client.force_login(alice)
        assert client.get(URL, {"next": wanted})["Location"] == "/"
    else:
        assert enter(client, alice.address, next=wanted)["Location"] == "/"


def test_one_goes_on_where_one_wanted_to_go(client: Client, alice: Account) -> None:
    away = client.get("/compose/?to=x@y.test")["Location"]
    assert away.startswith(URL)
    page = client.get(away).content.decode()
    assert 'name="next" value="/compose/?to=x@y.test"' in page
    assert enter(client, alice.address, next="/compose/?to=x@y.test")["Location"] == "/compose/?to=x@y.test"


def test_a_new_session_begins_at_signing_in(client: Client, alice: Account) -> None:
    enter(client, alice.address)
    first = client.cookies["sessionid"].value
    enter(client, alice.address)
    assert client.cookies["sessionid"].value != ""
    client.post("/sign-out/")
    client.cookies["sessionid"] = first
    assert client.get("/").status_code == 302


def test_signing_out_needs_a_form(client: Client, alice: Account) -> None:
    enter(client, alice.address)
    assert client.get("/sign-out/").status_code == 405
    assert client.get("/").status_code == 200
    assert client.post("/sign-out/")["Location"] == URL
    assert client.get("/").status_code == 302


def test_a_form_without_its_token_is_refused_with_advice(alice: Account) -> None:
    strict = Client(enforce_csrf_checks=True, headers={"Accept-Language": "en"})
    answer = enter(strict, alice.address)
    assert answer.status_code == 403
    assert "Go back, reload the page" in answer.content.decode()
