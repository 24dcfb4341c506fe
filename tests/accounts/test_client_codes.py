"""Codes of mail programs, and what the administrator lets programs do."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from accounts import services, verifiers
from accounts.models import Account, Credential, ProgramRule
from accounts.program_rules import canonical_networks, is_inside
from accounts.sign_in import Reason, SignedIn, SignInError, sign_in
from core.errors import ErrorKind, MailError
from logs_app.models import Event, Kind
from tests.factories import PASSWORD, make_account

pytestmark = pytest.mark.django_db

HERE = "192.0.2.7"


def come(secret: str, *, protocol: str = "imap", remote_address: str = HERE) -> SignedIn:
    return sign_in("alice@example.test", secret, host=None, protocol=protocol, remote_address=remote_address)


def refused(secret: str, **around: Any) -> Reason:
    with pytest.raises(SignInError) as error:
        come(secret, **around)
    return error.value.reason


def kind_of(call: Any) -> ErrorKind:
    with pytest.raises(MailError) as error:
        call()
    return error.value.kind


@pytest.mark.parametrize("protocol", ["imap", "pop3", "smtp"])
def test_with_a_code_programs_are_refused_the_password(alice: Account, protocol: str) -> None:
    assert come(PASSWORD, protocol=protocol).account == alice
    credential, code = services.create_client_code(alice, "Phone", actor=alice)
    assert refused(PASSWORD, protocol=protocol) is Reason.NEEDS_CODE
    assert come(code, protocol=protocol).credential_id == credential.pk
    assert refused("wrong", protocol=protocol) is Reason.REFUSED
    services.revoke_client_code(alice, credential.pk, actor=alice)
    assert refused(code, protocol=protocol) is Reason.REFUSED
    assert come(PASSWORD, protocol=protocol).account == alice


def test_a_code_opens_no_page(alice: Account) -> None:
    _, code = services.create_client_code(alice, "Phone")
    assert refused(code, protocol="web") is Reason.REFUSED
    assert come(PASSWORD, protocol="web").account == alice


def test_many_codes_cost_one_verification(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = [services.create_client_code(alice, f"Program {number}")[1] for number in range(5)]
    seen: list[str] = []
    verify = verifiers.verify
    monkeypatch.setattr(verifiers, "verify", lambda argon2, text: seen.append(argon2) or verify(argon2, text))
    come(codes[3])
    assert len(seen) == 0
    refused("wrong")
    assert len(seen) == 1


@pytest.mark.parametrize("code", [True, False])
def test_what_is_wrong_costs_a_program_the_same_with_codes_and_without(
    alice: Account, code: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if code:
        services.create_client_code(alice, "Phone")
    derived: list[bytes] = []
    derive = hashlib.pbkdf2_hmac
    monkeypatch.setattr(hashlib, "pbkdf2_hmac", lambda *given: derived.append(given[2]) or derive(*given))
    refused("wrong")
    assert len(derived) == 1
    with pytest.raises(SignInError):
        sign_in("nobody@example.test", "wrong", host=None, protocol="imap", remote_address=HERE)
    assert len(derived) == 2


def test_a_code_seen_lately_costs_nothing(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    credential, code = services.create_client_code(alice, "Phone")
    come(code)
    monkeypatch.setattr(hashlib, "pbkdf2_hmac", None)
    come(code)
    services.revoke_client_code(alice, credential.pk)
    monkeypatch.undo()
    assert refused(code) is Reason.REFUSED


def test_a_codes_use_is_noted(alice: Account, django_assert_num_queries: Any) -> None:
    credential, code = services.create_client_code(alice, "Phone")
    assert credential.last_used_at is None
    come(code)
    first = Credential.objects.get(pk=credential.pk).last_used_at
    assert first is not None
    come(code)
    assert Credential.objects.get(pk=credential.pk).last_used_at == first


def test_a_new_password_keeps_the_codes(alice: Account) -> None:
    _, code = services.create_client_code(alice, "Phone")
    services.set_password(alice, "another horse 7")
    assert come(code).account == alice


def test_who_may_make_and_take_back(alice: Account, bob: Account) -> None:
    admin = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    stranger = make_account("boss@elsewhere.test", role=Account.Role.DOMAIN_ADMIN)
    credential, _ = services.create_client_code(alice, "Phone", actor=admin)
    assert kind_of(lambda: services.create_client_code(alice, "x", actor=bob)) is ErrorKind.NO_PERMISSION
    assert kind_of(lambda: services.revoke_client_code(alice, credential.pk, actor=stranger)) is ErrorKind.NOT_FOUND
    assert kind_of(lambda: services.revoke_client_code(bob, credential.pk, actor=admin)) is ErrorKind.NOT_FOUND
    assert kind_of(lambda: services.create_client_code(alice, "  ", actor=alice)) is ErrorKind.INVALID
    acts = [event.data["action"] for event in Event.objects.filter(kind=Kind.ADMIN, address=alice.address)]
    assert "create_client_code" in acts
    assert not any("correct" in str(event.data) for event in Event.objects.all())


def test_there_is_a_limit(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.client_codes, "MAX_CODES", 1)
    services.create_client_code(alice, "one")
    assert kind_of(lambda: services.create_client_code(alice, "two")) is ErrorKind.LIMIT


# Rules --------------------------------------------------------------------------------------------


def test_a_protocol_that_is_not_allowed_is_refused_only_to_who_knows_the_secret(alice: Account) -> None:
    services.set_program_rule(alice.domain, alice, imap=False)
    assert refused(PASSWORD) is Reason.PROTOCOL
    assert refused("wrong") is Reason.REFUSED
    assert come(PASSWORD, protocol="pop3").account == alice
    assert come(PASSWORD, protocol="web").account == alice
    assert Event.objects.filter(kind=Kind.SIGN_IN, error=Reason.PROTOCOL).count() == 1


def test_the_accounts_rule_stands_before_the_domains(alice: Account) -> None:
    services.set_program_rule(alice.domain, None, networks="203.0.113.0/24, 2001:db8::/32")
    assert refused(PASSWORD) is Reason.NETWORK
    assert come(PASSWORD, remote_address="203.0.113.9").account == alice
    assert come(PASSWORD, protocol="web").account == alice
    rule = services.set_program_rule(alice.domain, alice)
    assert come(PASSWORD).account == alice
    services.remove_program_rule(rule)
    assert refused(PASSWORD) is Reason.NETWORK
    assert ProgramRule.objects.count() == 1


@pytest.mark.parametrize(
    ("address", "networks", "inside"),
    [
        ("192.0.2.1", "", True),
        ("192.0.2.1", "192.0.2.0/24", True),
        ("::ffff:192.0.2.1", "192.0.2.0/24", True),
        ("192.0.3.1", "192.0.2.0/24\n2001:db8::/32", False),
        ("2001:db8::5", "192.0.2.0/24\n2001:db8::/32", True),
        ("fe80::1%eth0", "fe80::/10", True),
        ("", "192.0.2.0/24", False),
    ],
)
def test_addresses_and_networks(address: str, networks: str, inside: bool) -> None:
    assert is_inside(address, networks) is inside


def test_networks_are_written_in_one_way() -> None:
    assert canonical_networks(" 192.0.2.7/24, 192.0.2.0/24\n10.0.0.1 ") == "192.0.2.0/24\n10.0.0.1/32"
    assert kind_of(lambda: canonical_networks("nowhere")) is ErrorKind.INVALID
    assert kind_of(lambda: canonical_networks(" ".join(f"10.0.0.{n}" for n in range(201)))) is ErrorKind.LIMIT


def test_rules_are_the_administrators(alice: Account) -> None:
    admin = make_account("boss@example.test", role=Account.Role.DOMAIN_ADMIN)
    stranger = make_account("boss@elsewhere.test", role=Account.Role.DOMAIN_ADMIN)
    operator = make_account("root@example.test", role=Account.Role.OPERATOR)
    services.set_program_rule(alice.domain, alice, pop3=False, actor=admin)
    domain = alice.domain
    assert kind_of(lambda: services.set_program_rule(domain, alice, actor=alice)) is ErrorKind.NO_PERMISSION
    assert kind_of(lambda: services.set_program_rule(domain, alice, actor=stranger)) is ErrorKind.NOT_FOUND
    assert kind_of(lambda: services.set_program_rule(stranger.domain, alice)) is ErrorKind.NOT_FOUND
    assert kind_of(lambda: services.set_program_rule(domain, operator, actor=admin)) is ErrorKind.NO_PERMISSION
