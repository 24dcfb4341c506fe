"""Signing in: by which names, at what cost, and what is recorded."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts import services, throttle, verifiers
from accounts.backends import AddressBackend
from accounts.models import Account, Credential
from accounts.sign_in import Reason, SignedIn, SignInError, prove, sign_in
from logs_app.models import Event, Kind
from logs_app.selectors import sign_ins
from tests.factories import PASSWORD, make_account

pytestmark = pytest.mark.django_db

HERE = "192.0.2.7"


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each Argon2 verification: the only part of a sign-in that takes time worth measuring."""
    hashes: list[str] = []
    verify = verifiers.verify

    def count(argon2: str, text: str) -> bool:
        hashes.append(argon2)
        return verify(argon2, text)

    monkeypatch.setattr(verifiers, "verify", count)
    return hashes


def come(
    login: str,
    secret: str = PASSWORD,
    *,
    host: str | None = None,
    remote_address: str = HERE,
    protocol: str = "web",
) -> SignedIn:
    return sign_in(login, secret, host=host, protocol=protocol, remote_address=remote_address, program="Firefox")


def refused(login: str, secret: str = PASSWORD, **around: Any) -> SignInError:
    with pytest.raises(SignInError) as error:
        come(login, secret, **around)
    return error.value


@pytest.mark.parametrize(
    ("login", "host", "alias"),
    [
        ("alice@example.test", None, False),
        (" Alice@EXAMPLE.test ", "mail.public.test", False),
        ("al@example.test", None, True),
        ("alice@other.test", None, True),
        ("alice", "webmail.example.test", False),
        ("ALICE", "Webmail.Example.Test:8000", False),
        ("al", "webmail.example.test", True),
        ("alice", "webmail.other.test", False),
        ("alice", "example.test", False),
        ("alice@example.test", "webmail.elsewhere.test", False),
    ],
)
def test_an_account_signs_in_by_each_of_its_names(
    alice: Account, charlie: Account, login: str, host: str | None, alias: bool
) -> None:
    services.add_alias(alice, "al")
    services.add_domain_alias(alice.domain, "other.test")
    who = come(login, host=host)
    assert (who.account, who.used_alias) == (alice, alias)
    assert who.credential_id == alice.credentials.get().pk


@pytest.mark.parametrize("host", [None, "", "mail.public.test", "localhost:8000", "webmail.nowhere.test"])
def test_a_neutral_host_wants_the_full_address(alice: Account, host: str | None, verified: list[str]) -> None:
    assert refused("alice", host=host).reason is Reason.FULL_ADDRESS
    assert verified == []


@pytest.mark.parametrize(
    "login",
    [
        "nobody@example.test",
        "alice+tag@example.test",
        "all@example.test",
        "mailer-daemon@example.test",
        "info@example.test",
        "alice@nowhere.test",
        "@",
        "a\0b@example.test",
        "\ud800@example.test",
        "x" * 5000 + "@example.test",
    ],
)
def test_whoever_has_no_secret_is_refused_at_the_cost_of_one_verification(
    alice: Account, verified: list[str], login: str, django_assert_max_num_queries: Any
) -> None:
    make_account("info@example.test", password=None, kind=Account.Kind.SHARED)
    with django_assert_max_num_queries(8):
        assert refused(login).reason is Reason.REFUSED
    assert len(verified) == 1


def test_a_wrong_password_costs_and_answers_as_an_unknown_name(alice: Account, verified: list[str]) -> None:
    wrong, unknown = refused(alice.address, "wrong one 1"), refused("nobody@example.test", "wrong one 1")
    assert (wrong.reason, wrong.retry_after_s) == (unknown.reason, unknown.retry_after_s)
    assert len(verified) == 2
    parameters = {hashed.rpartition("$")[0].rpartition("$")[0] for hashed in verified}
    assert parameters == {"$argon2id$v=19$m=19456,t=2,p=1"}


@pytest.mark.parametrize("secret", ["", "x" * 100_000, "a\0b", "\ud800\udfff", "Ünïcödé 9"])
def test_any_secret_is_simply_wrong(alice: Account, secret: str) -> None:
    assert refused(alice.address, secret).reason is Reason.REFUSED


def test_a_password_is_the_same_however_it_was_composed(alice: Account) -> None:
    services.set_password(alice, "Pässwört 99")
    assert come(alice.address, "Pa\u0308sswo\u0308rt 99").account == alice


def test_a_secret_seen_lately_is_not_hashed_again_until_it_changes(alice: Account, verified: list[str]) -> None:
    for _ in range(3):
        come(alice.address)
    assert len(verified) == 1
    services.set_password(alice, "quite new 77")
    assert refused(alice.address).reason is Reason.REFUSED
    assert len(verified) == 2
    come(alice.address, "quite new 77")
    assert len(verified) == 3


def test_the_right_secret_of_a_suspended_account_says_so_and_a_wrong_one_does_not(alice: Account) -> None:
    services.suspend_account(alice)
    assert refused(alice.address).reason is Reason.SUSPENDED
    assert refused(alice.address, "wrong one 1").reason is Reason.REFUSED


def test_nobody_of_a_suspended_domain_comes_in(alice: Account) -> None:
    services.update_domain(alice.domain, is_active=False)
    assert refused(alice.address).reason is Reason.SUSPENDED


def test_an_account_is_valid_through_its_last_day(alice: Account) -> None:
    today = timezone.now().astimezone(datetime.timezone(datetime.timedelta(hours=8))).date()
    services.update_account(alice, valid_until=today)
    assert come(alice.address).account == alice
    services.update_account(alice, valid_until=today - datetime.timedelta(days=1))
    assert refused(alice.address).reason is Reason.SUSPENDED


def test_every_sign_in_is_recorded_with_the_name_that_was_used(alice: Account) -> None:
    services.add_alias(alice, "al")
    come("al@example.test")
    come("alice@example.test")
    refused("al@example.test", "wrong one 1")
    rows = sign_ins(alice.pk, limit=5)
    assert [(row.succeeded, row.alias, row.error) for row in rows] == [
        (False, "", "refused"),
        (True, "", ""),
        (True, "al@example.test", ""),
    ]
    assert {(row.remote_address, row.protocol, row.program) for row in rows[1:]} == {(HERE, "web", "Firefox")}
    assert sign_ins(alice.pk, limit=1) == rows[:1]


def test_neither_secrets_nor_what_might_be_one_are_recorded(alice: Account) -> None:
    refused(alice.address, "my secret 123")
    refused("my secret 123", host="webmail.example.test")
    recorded = " ".join(str(row) for row in Event.objects.values_list("address", "error", "data", "actor"))
    assert "secret" not in recorded
    assert Event.objects.filter(kind=Kind.SIGN_IN, address="*@example.test").count() == 1


def test_the_administrator_of_a_domain_sees_names_that_were_tried(alice: Account) -> None:
    refused("former@example.test")
    event = Event.objects.get(kind=Kind.SIGN_IN)
    assert (event.address, event.domain_id, event.account_id) == ("former@example.test", alice.domain_id, None)


def test_too_many_failures_are_throttled_and_recorded_once(alice: Account, verified: list[str]) -> None:
    answers = [refused(alice.address, "wrong one 1").reason for _ in range(40)]
    limit = throttle.ACCOUNT_FAILURES // 2  # without Redis
    assert answers == [Reason.REFUSED] * limit + [Reason.THROTTLED] * (40 - limit)
    assert len(verified) == limit
    assert Event.objects.filter(error="throttled").count() == 1
    right = refused(alice.address)
    assert right.reason is Reason.THROTTLED
    assert 0 < right.retry_after_s <= throttle.WINDOW_S


def test_unknown_names_are_throttled_alike(alice: Account) -> None:
    for login in (alice.address, "nobody@example.test"):
        reasons = [refused(login, "wrong one 1").reason for _ in range(12)]
        assert reasons[-1] is Reason.THROTTLED


def test_strangers_lock_nobody_out_of_his_usual_place(alice: Account) -> None:
    come(alice.address, remote_address="198.51.100.20")
    for number in range(60):
        refused(alice.address, "wrong one 1", remote_address=f"203.0.113.{number}")
        refused(alice.address, "wrong one 1", remote_address=f"2001:db8:{number:x}::1")
    assert refused(alice.address, remote_address="203.0.113.99").reason is Reason.THROTTLED
    assert come(alice.address, remote_address="198.51.100.21").account == alice


def test_one_block_that_guesses_many_names_is_stopped(alice: Account, bob: Account) -> None:
    for number in range(throttle.BLOCK_FAILURES):
        refused(f"n{number}@example.test", remote_address=f"203.0.113.{number % 200}")
    assert refused(bob.address, remote_address="203.0.113.250").reason is Reason.THROTTLED
    assert come(bob.address, remote_address="198.51.100.1").account == bob


def test_loopback_is_throttled_like_any_place(alice: Account) -> None:
    reasons = {refused(alice.address, "wrong one 1", remote_address="127.0.0.1").reason for _ in range(12)}
    assert Reason.THROTTLED in reasons


def test_many_right_sign_ins_are_never_throttled(alice: Account) -> None:
    for _ in range(100):
        come(alice.address)


def test_proving_an_old_password_is_throttled_and_recorded_when_wrong(alice: Account) -> None:
    prove(alice, PASSWORD, remote_address=HERE)
    assert not Event.objects.filter(kind=Kind.SIGN_IN).exists()
    for _ in range(40):
        with pytest.raises(SignInError) as error:
            prove(alice, "wrong one 1", remote_address=HERE)
    assert error.value.reason is Reason.THROTTLED
    assert Event.objects.filter(kind=Kind.SIGN_IN, account_id=alice.pk, succeeded=False).exists()


def test_djangos_authenticate_goes_the_same_way(alice: Account) -> None:
    request = RequestFactory().post("/", headers={"host": "webmail.example.test"}, REMOTE_ADDR=HERE)
    assert authenticate(request, username="alice", password=PASSWORD) == alice
    assert authenticate(request, username="alice", password="wrong one 1") is None
    assert authenticate(request) is None
    assert Event.objects.filter(kind=Kind.SIGN_IN, remote_address=HERE).count() == 2


def test_a_session_costs_one_query_and_ends_with_the_account(alice: Account, django_assert_num_queries: Any) -> None:
    backend = AddressBackend()
    with django_assert_num_queries(1):
        found = backend.get_user(alice.pk)
        assert found is not None
        assert found.domain.name == "example.test"
        assert found.get_session_auth_hash()
    services.suspend_account(alice)
    assert backend.get_user(alice.pk) is None
    assert backend.get_user(10**9) is None


def test_a_new_password_ends_every_other_session(alice: Account) -> None:
    before = alice.get_session_auth_hash()
    client = Client()
    client.force_login(alice)
    assert Session.objects.count() == 1
    services.set_password(alice, "quite new 77")
    fresh = AddressBackend().get_user(alice.pk)
    assert fresh is not None
    assert fresh.get_session_auth_hash() == alice.get_session_auth_hash() != before


def test_sessions_survive_a_new_key_while_the_old_one_is_in_the_ring(alice: Account, settings: Any) -> None:
    before = alice.get_session_auth_hash()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "new" * 20
    assert alice.get_session_auth_hash() != before
    assert before in list(alice.get_session_auth_fallback_hash())


def test_an_old_verifier_is_found_among_several_secrets(alice: Account) -> None:
    password = alice.credentials.get()
    code = Credential(account=alice, kind=Credential.Kind.CLIENT_CODE, label="phone")
    verifiers.fill(code, "Code-1234", salt=bytes(password.scram_salt), rounds=password.scram_rounds)
    code.save()
    assert come(alice.address, "Code-1234", protocol="imap").credential_id == code.pk
    assert come(alice.address).credential_id == password.pk
    services.set_password(alice, "quite new 77")
    assert bytes(alice.credentials.get(kind="password").scram_salt) == bytes(code.scram_salt)


def test_who_was_let_in_lately_is_neither_counted_nor_spared(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    come(alice.address, protocol="imap")
    counted: list[str] = []
    take = throttle.take
    monkeypatch.setattr(throttle, "take", lambda login, place: counted.append(login) or take(login, place))
    come(alice.address, protocol="imap")
    assert counted == []

    for _ in range(throttle.PAIR_FAILURES):
        refused(alice.address, "wrong", protocol="imap")
    assert refused(alice.address, protocol="imap").reason is Reason.THROTTLED, "right, but who else may be guessing?"


def test_an_old_secret_that_was_right_lately_is_counted(alice: Account) -> None:
    come(alice.address, protocol="imap")
    services.set_password(alice, "Another good password 9")
    reasons = [refused(alice.address, protocol="imap").reason for _ in range(40)]
    limit = throttle.PAIR_FAILURES // 2
    assert reasons == [Reason.REFUSED] * limit + [Reason.THROTTLED] * (40 - limit)


def test_a_right_secret_from_a_new_place_makes_it_known(alice: Account) -> None:
    come(alice.address, protocol="imap")
    come(alice.address, protocol="imap", remote_address="203.0.113.8")
    for _ in range(throttle.ACCOUNT_FAILURES):
        refused(alice.address, "wrong", remote_address="198.51.100.1")
    come(alice.address, protocol="imap", remote_address="203.0.113.8")
