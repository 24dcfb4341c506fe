"""SASL for every protocol of mail programs (RFC 4422): mechanisms as dialogues of bytes, over one way of signing in.

A protocol writes a mechanism's prompt or takes an initial response, feeds answers to `step` until somebody is signed
in, and words the refusals. `step` asks the database.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Protocol

from accounts import oauth, verifiers
from accounts.models import Credential
from accounts.scram import ClientFirst, Dialogue, ScramError, Verifier, client_first
from accounts.sign_in import (
    Circumstances,
    Claim,
    Reason,
    SignedIn,
    SignInError,
    admit,
    admit_by_token,
    claim,
    reject,
)
from accounts.sign_in_again import Asked

SECRET_MAX = 1024
"""Bytes of a name or a password; longer is nobody's."""

_BEARER = re.compile(rb"auth=Bearer ([\x21-\x7e]{1,8000})\Z", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, slots=True)
class Door:
    """Where somebody signs in. `bindings` are this channel's data by the type of channel binding (RFC 5056)."""

    around: Circumstances
    bindings: Mapping[str, bytes] = dataclasses.field(default_factory=dict)


class Exchange(Protocol):
    """One attempt. `prompt` is asked when no initial response came."""

    prompt: bytes

    def step(self, answer: bytes) -> bytes | SignedIn:
        """The next challenge, or who it is; raises SignInError. A malformed answer is REFUSED and not recorded."""

    def login_of(self, answer: bytes) -> Login | None:
        """The name and the secret, where `answer` completes them (PLAIN, LOGIN): `step` would be `sign_in`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Login:
    """What the client claims and the proof."""

    name: str
    secret: str


def mechanisms(bindings: Mapping[str, bytes]) -> list[str]:
    """What is offered on an encrypted connection, the best first."""
    found = ["SCRAM-SHA-256-PLUS"] if bindings else []
    found += ["SCRAM-SHA-256", "PLAIN", "LOGIN"]
    return found + (["OAUTHBEARER", "XOAUTH2"] if oauth.is_set() else [])


def begin(name: str, door: Door) -> Exchange | None:
    """The mechanism of that name, None for one that isn't offered here."""
    if name.upper() not in mechanisms(door.bindings):
        return None
    made: dict[str, Exchange] = {
        "PLAIN": Plain(door),
        "LOGIN": NameAndPassword(door),
        "SCRAM-SHA-256": Scram(door, plus=False),
        "SCRAM-SHA-256-PLUS": Scram(door, plus=True),
        "OAUTHBEARER": Bearer(door),
        "XOAUTH2": Bearer(door),
    }
    return made[name.upper()]


class Plain:
    """RFC 4616."""

    prompt = b""

    def __init__(self, door: Door) -> None:
        self._door = door

    def step(self, answer: bytes) -> SignedIn:
        """All in one."""
        login = read_plain(answer)
        if login is None:
            raise SignInError(Reason.REFUSED)
        return _by_secret(self._door, login)

    def login_of(self, answer: bytes) -> Login | None:
        """All in one."""
        return read_plain(answer)


class NameAndPassword:
    """LOGIN: what Outlook says; it was never more than a draft."""

    prompt = b"Username:"

    def __init__(self, door: Door) -> None:
        self._door = door
        self._name: str | None = None

    def step(self, answer: bytes) -> bytes | SignedIn:
        """The name, then the password."""
        text = text_of(answer)
        if self._name is None:
            self._name = text or "-"
            return b"Password:"
        if text is None:
            raise SignInError(Reason.REFUSED)
        return _by_secret(self._door, Login(self._name, text))

    def login_of(self, answer: bytes) -> Login | None:
        """With the password."""
        text = text_of(answer)
        return None if self._name is None or text is None else Login(self._name, text)


class Scram:
    """RFC 5802, RFC 7677: the secret never leaves the client."""

    prompt = b""

    def __init__(self, door: Door, *, plus: bool) -> None:
        self._door = door
        self._plus = plus
        self._claim: Claim | None = None
        self._dialogue: Dialogue | None = None
        self._signed_in: SignedIn | None = None

    def step(self, answer: bytes) -> bytes | SignedIn:
        """Two messages of the client, and an empty one behind ours."""
        if self._signed_in is not None:
            return self._signed_in
        try:
            return self._prove(answer) if self._dialogue is not None else self._begin(answer)
        except ScramError:
            raise SignInError(Reason.REFUSED) from None

    def login_of(self, answer: bytes) -> Login | None:
        """Never: nobody says the secret."""
        return None

    def _begin(self, message: bytes) -> bytes:
        bindings = self._door.bindings
        first = client_first(message, plus=self._plus, offers_plus=bool(bindings), bindings=bindings)
        self._claim = made = claim(first.name, self._door.around)
        self._dialogue = _dialogue(first, made)
        return self._dialogue.challenge.encode()

    def _prove(self, message: bytes) -> bytes:
        assert self._claim is not None
        assert self._dialogue is not None
        known = {each.pk: each for each in self._claim.credentials}
        proved = self._dialogue.prove(message, [_verifier(each) for each in known.values()])
        if proved is None:
            reject(self._claim)
        self._signed_in = admit(self._claim, known[proved[0]])
        return proved[1]


class Bearer:
    """OAUTHBEARER (RFC 7628) and XOAUTH2: a token of somebody else's, checked by OAUTH_VERIFIER."""

    prompt = b""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._failed: SignInError | None = None

    def step(self, answer: bytes) -> bytes | SignedIn:
        """The token; after a refusal the client is told why and sends a last word (RFC 7628 3.2.3)."""
        if self._failed is not None:
            raise self._failed
        try:
            return self._check(answer)
        except SignInError as error:
            self._failed = error
            return b'{"status":"invalid_token","schemes":"bearer"}'

    def login_of(self, answer: bytes) -> Login | None:
        """Never: a token is no secret of ours."""
        return None

    def _check(self, message: bytes) -> SignedIn:
        name, token = read_bearer(message)
        if not token:
            raise SignInError(Reason.REFUSED)
        address = oauth.address_of(token)
        made = claim(address or name or "-", self._door.around)
        if not address or (name and name.lower() != address.lower()):
            reject(made)
        return admit_by_token(made)


def _dialogue(first: ClientFirst, made: Claim) -> Dialogue:
    """Nobody's salt looks like somebody's (RFC 5802 9)."""
    if not made.credentials:
        return Dialogue.begin(first, salt=verifiers.fake_salt(made.address), rounds=verifiers.SCRAM_ROUNDS)
    one = made.credentials[0]
    return Dialogue.begin(first, salt=bytes(one.scram_salt), rounds=one.scram_rounds)


def _verifier(credential: Credential) -> Verifier:
    return Verifier(credential.pk, bytes(credential.scram_stored_key), bytes(credential.scram_server_key))


def _by_secret(door: Door, login: Login) -> SignedIn:
    return Asked(login.name, login.secret, door.around).alone()


def read_plain(message: bytes) -> Login | None:
    """`[authzid] NUL authcid NUL password`; acting for somebody else (another authzid) is not offered."""
    parts = message.split(b"\0")
    if len(parts) != 3 or not parts[1]:
        return None
    authorization, name, secret = (text_of(part) for part in parts)
    if name is None or secret is None or authorization is None:
        return None
    if authorization not in ("", name):
        return None
    return Login(name, secret)


def read_bearer(message: bytes) -> tuple[str, str]:
    """(address or empty, token or empty) of `n,a=address,^Aauth=Bearer token^A^A` or `user=address^Aauth=…^A^A`."""
    parts = message.split(b"\1")
    token = next((found[1].decode() for part in parts[1:] if (found := _BEARER.match(part))), "")
    head = text_of(parts[0]) or ""
    if head.startswith("user="):
        return head.removeprefix("user="), token
    name = next((word.removeprefix("a=") for word in head.split(",") if word.startswith("a=")), "")
    return name.replace("=2C", ",").replace("=3D", "="), token


def text_of(part: bytes) -> str | None:
    """UTF-8 of a bounded length without NUL, or None."""
    if len(part) > SECRET_MAX or b"\0" in part:
        return None
    try:
        return part.decode()
    except UnicodeDecodeError:
        return None
