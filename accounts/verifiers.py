"""Secrets at rest: Argon2id hashes and SCRAM-SHA-256 verifiers, and how one is checked in constant work.

An unknown user costs exactly one verification like everybody else, against a hash of nobody's secret.
Verified secrets are remembered for CACHE_S under a keyed hash that covers the stored Argon2 hash, so a changed
password is forgotten by itself, in every process, at its first use.
"""

from __future__ import annotations

import collections
import functools
import hashlib
import hmac
import secrets
import threading
import time
import unicodedata
from collections.abc import Sequence

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError
from scramp.core import ScramException, ScramMechanism

from accounts.models import Credential
from core.crypto import keyed_hash
from core.errors import ErrorKind, MailError

# OWASP's Argon2id parameters.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
SCRAM = ScramMechanism("SCRAM-SHA-256")
SCRAM_ROUNDS = 10_000
"""RFC 7677 4 asks for 4,096 at least; the client pays for them at every sign-in, a phone too."""
SCRAM_SALT_BYTES = 16
MAX_SECRET = 512
"""Characters. Longer ones are refused before any hashing."""
CACHE_S = 300.0
CACHE_ENTRIES = 10_000


class Verified:
    """Bounded memory of secrets that were right not long ago."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: collections.OrderedDict[bytes, float] = collections.OrderedDict()

    def has(self, key: bytes) -> bool:
        """Whether this very secret was right in the last CACHE_S seconds."""
        with self._lock:
            return self._until.get(key, 0.0) > time.monotonic()

    def add(self, key: bytes) -> None:
        """Remember; the oldest goes when there are too many."""
        with self._lock:
            self._until[key] = time.monotonic() + CACHE_S
            self._until.move_to_end(key)
            while len(self._until) > CACHE_ENTRIES:
                self._until.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._until.clear()


verified = Verified()
lately = Verified()
"""Names with secrets that were right: a hint for the throttle, before anything is looked up. It lets nobody in."""


def note_right(login: str, secret: str) -> None:
    """Somebody signed in so; remembered from the first time on, so that it is forgotten CACHE_S later."""
    key = _as_typed(login, secret)
    if not lately.has(key):
        lately.add(key)


def was_right(login: str, secret: str) -> bool:
    """Whether somebody signed in so in the last CACHE_S seconds, in this process."""
    return len(secret) <= MAX_SECRET and lately.has(_as_typed(login, secret))


def _as_typed(login: str, secret: str) -> bytes:
    return keyed_hash("lately", f"{login}\0{prepared(secret)}".encode())


def prepared(secret: str) -> str:
    """RFC 8265 4.2 (OpaqueString): the same characters whatever the keyboard composed; never unencodable."""
    return unicodedata.normalize("NFC", secret).encode("utf-8", "backslashreplace").decode()


def new_salt() -> bytes:
    """A fresh SCRAM salt, shared by all verifiers of an account."""
    return secrets.token_bytes(SCRAM_SALT_BYTES)


def fake_salt(address: str) -> bytes:
    """The salt an unknown user is told: always the same for the same name (RFC 5802 9)."""
    return keyed_hash("scram-salt", address.encode())[:SCRAM_SALT_BYTES]


def fill(credential: Credential, secret: str, *, salt: bytes, rounds: int = SCRAM_ROUNDS) -> None:
    """Write both verifiers of `secret` into `credential` (not saved). Raises INVALID for what SASLprep forbids."""
    text = prepared(secret)
    try:
        _, stored_key, server_key, _ = SCRAM.make_auth_info(text, iteration_count=rounds, salt=salt)
    except ScramException:
        raise MailError(ErrorKind.INVALID, field="password", problems=["characters"]) from None
    credential.argon2 = HASHER.hash(text)
    credential.scram_salt, credential.scram_rounds = salt, rounds
    credential.scram_stored_key, credential.scram_server_key = stored_key, server_key


def matches(credential: Credential, secret: str) -> bool:
    """Whether `secret` is the one of `credential`: one Argon2 verification, or none when seen lately."""
    text = prepared(secret)
    key = _seen_as(credential, text)
    if verified.has(key):
        return True
    if not verify(credential.argon2, text):
        return False
    verified.add(key)
    return True


def is_verified(credential: Credential, secret: str) -> bool:
    """Whether `secret` was seen to be right for this row as it is, not long ago; no verification."""
    return len(secret) <= MAX_SECRET and verified.has(_seen_as(credential, prepared(secret)))


def matching_code(codes: Sequence[Credential], secret: str) -> Credential | None:
    """The client code that `secret` is: one derivation, or none when seen lately. Codes of an account share salt and
    rounds, so one serves all; they are random and long, so it need not be as dear as a password's. Without codes it is
    spent all the same."""
    text = prepared(secret)
    keys = {each.pk: _seen_as(each, text) for each in codes}
    seen = next((each for each in codes if verified.has(keys[each.pk])), None)
    if seen is not None:
        return seen
    salt, rounds = (bytes(codes[0].scram_salt), codes[0].scram_rounds) if codes else (b"nobody", SCRAM_ROUNDS)
    salted = hashlib.pbkdf2_hmac("sha256", text.encode(), salt, rounds)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    found = [each for each in codes if hmac.compare_digest(bytes(each.scram_stored_key), stored)]
    if not found:
        return None
    verified.add(keys[found[0].pk])
    return found[0]


def _seen_as(credential: Credential, text: str) -> bytes:
    return keyed_hash("verified", f"{credential.pk}\0{credential.argon2}\0{text}".encode())


def verify(argon2: str, text: str) -> bool:
    """One Argon2 verification; a damaged hash is simply wrong."""
    try:
        return HASHER.verify(argon2, text)
    except (Argon2Error, InvalidHashError):
        return False


def verify_nobody(secret: str) -> None:
    """Spend what a verification costs."""
    verify(_nobodys(), prepared(secret))


@functools.cache
def _nobodys() -> str:
    return HASHER.hash(secrets.token_urlsafe(32))
