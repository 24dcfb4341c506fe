"""Secrets at rest."""

from __future__ import annotations

import time

import pytest
from scramp import ScramClient, ScramMechanism

from accounts import verifiers
from accounts.models import Account, Credential
from core.errors import ErrorKind, MailError
from tests.factories import PASSWORD


@pytest.mark.django_db
def test_a_scram_client_proves_itself_against_what_is_stored(alice: Account) -> None:
    stored = alice.credentials.get()
    facts = (
        bytes(stored.scram_salt),
        bytes(stored.scram_stored_key),
        bytes(stored.scram_server_key),
        stored.scram_rounds,
    )
    client = ScramClient(["SCRAM-SHA-256"], alice.address, PASSWORD)
    server = ScramMechanism("SCRAM-SHA-256").make_server(lambda _user: facts)
    server.set_client_first(client.get_client_first())
    client.set_server_first(server.get_server_first())
    server.set_client_final(client.get_client_final())
    client.set_server_final(server.get_server_final())


@pytest.mark.django_db
def test_nothing_that_is_stored_is_the_password(alice: Account) -> None:
    stored = alice.credentials.values().get()
    assert PASSWORD not in str(stored)
    assert stored["argon2"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert stored["scram_rounds"] >= 4096  # RFC 7677 4


def test_an_unknown_user_always_has_the_same_salt() -> None:
    assert verifiers.fake_salt("a@b.test") == verifiers.fake_salt("a@b.test")
    assert verifiers.fake_salt("a@b.test") != verifiers.fake_salt("c@b.test")
    assert len(verifiers.fake_salt("a@b.test")) == len(verifiers.new_salt())


def test_a_secret_that_no_mail_program_can_send_is_refused() -> None:
    with pytest.raises(MailError) as error:
        verifiers.fill(Credential(), "tab\tand bell\a", salt=verifiers.new_salt())
    assert error.value.kind is ErrorKind.INVALID


def test_a_damaged_hash_is_wrong_and_not_an_error() -> None:
    for stored in ("", "$argon2id$", "plain", "$argon2id$v=19$m=19456,t=2,p=1$xx$yy"):
        assert not verifiers.verify(stored, "secret")


def test_the_memory_of_right_secrets_is_bounded_and_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifiers, "CACHE_ENTRIES", 3)
    memory = verifiers.Verified()
    for number in range(5):
        memory.add(bytes([number]))
    assert [memory.has(bytes([number])) for number in range(5)] == [False, False, True, True, True]
    later = time.monotonic() + verifiers.CACHE_S + 1
    monkeypatch.setattr("accounts.verifiers.time.monotonic", lambda: later)
    assert not memory.has(bytes([4]))
