"""Keyed secrets."""

from __future__ import annotations

import pytest
from django.test import override_settings

from core import crypto
from core.errors import ErrorKind, MailError


@pytest.fixture(autouse=True)
def _forget_derived_keys() -> None:
    _forget()


def test_what_was_encrypted_is_read_again() -> None:
    token = crypto.encrypt("fetch", "密码".encode())
    assert crypto.decrypt("fetch", token) == "密码".encode()


def test_a_token_of_one_purpose_is_worthless_for_another() -> None:
    token = crypto.encrypt("fetch", b"secret")
    with pytest.raises(MailError) as refused:
        crypto.decrypt("release", token)
    assert refused.value.kind is ErrorKind.INVALID


def test_a_changed_token_is_refused() -> None:
    token = bytearray(crypto.encrypt("fetch", b"secret"))
    token[-5] ^= 1
    with pytest.raises(MailError):
        crypto.decrypt("fetch", bytes(token))


def test_an_old_key_still_reads_and_the_new_one_writes() -> None:
    with override_settings(SECRET_KEYS=["old" * 20]):
        token = crypto.encrypt("fetch", b"secret")
    _forget()
    with override_settings(SECRET_KEYS=["new" * 20, "old" * 20]):
        assert crypto.decrypt("fetch", token) == b"secret"
        fresh = crypto.encrypt("fetch", b"secret")
    _forget()
    with override_settings(SECRET_KEYS=["old" * 20]), pytest.raises(MailError):
        crypto.decrypt("fetch", fresh)


def test_keyed_hashes_differ_by_purpose_and_by_data() -> None:
    hashes = {crypto.keyed_hash("a", b"1"), crypto.keyed_hash("a", b"2"), crypto.keyed_hash("b", b"1")}
    assert len(hashes) == 3
    assert {len(digest) for digest in hashes} == {32}


def _forget() -> None:
    crypto._newest.cache_clear()
    crypto._fernet.cache_clear()
