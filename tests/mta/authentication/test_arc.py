"""ARC: chains of ours before dkimpy, dkimpy's before us, broken ones."""

from __future__ import annotations

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mta.authentication.arc import NO_CHAIN, SETS_MAX, ArcResult, seal, verify_chain
from mta.authentication.inquiry import NotKnownError
from mta.authentication.letter import Letter
from mta.authentication.outcome import Outcome
from mta.authentication.resolver import FAILED, Answer
from mta.authentication.signing import SigningKey
from tests.mta.authentication.test_dkim import EDWARDS, MESSAGE, RSA, ZONE, ask_dkimpy, signed
from tests.mta.authentication.zone import Records, looking

KEY = SigningKey("example.test", "r1", RSA)
NOW = 1_700_000_000.0
SAW = "mx.example.test;\r\n\tspf=pass smtp.mailfrom=example.test;\r\n\tdmarc=pass header.from=example.test"


def chain_of(message: bytes, *, zone: Records = ZONE) -> ArcResult:
    return verify_chain(looking(zone), Letter.of(message))


def sealed(message: bytes, *, key: SigningKey = KEY, times: int = 1) -> bytes:
    for _ in range(times):
        message = seal(Letter.of(message), key, chain_of(message), SAW, NOW) + message
    return message


def by_dkimpy(message: bytes) -> bytes:
    assert isinstance(RSA, rsa.RSAPrivateKey)
    pem = RSA.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    saw = b"; arc=pass" if b"ARC-Seal" in message else b""  # it takes the word on the chain from here
    results = b"Authentication-Results: mx.example.test; spf=pass smtp.mailfrom=a@example.test" + saw + b"\r\n"
    fields = dkimpy.arc_sign(results + message, b"r1", b"example.test", pem, b"mx.example.test")
    return b"".join(fields) + results + message


def test_a_mail_without_sets_has_no_chain() -> None:
    assert chain_of(signed()) == NO_CHAIN


@pytest.mark.parametrize("times", [1, 2, 5])
def test_our_sets_pass_before_us_and_before_dkimpy(times: int) -> None:
    message = sealed(signed(), times=times)
    found = chain_of(message)
    assert (found.outcome, found.reason, found.count) == (Outcome.PASS, "", times)
    assert found.sealers == ("example.test",) * times
    assert found.claimed == SAW.replace("\r\n\t", " ")
    assert dkimpy.ARC(message).verify(dnsfunc=ask_dkimpy)[0] == dkimpy.CV_Pass


def test_an_edwards_key_seals_too() -> None:
    assert chain_of(sealed(signed(), key=SigningKey("example.test", "e1", EDWARDS))).outcome is Outcome.PASS


def test_dkimpys_sets_pass_before_us_alone_and_under_ours() -> None:
    message = by_dkimpy(signed())
    assert chain_of(message).outcome is Outcome.PASS
    assert chain_of(sealed(message)).count == 2
    assert chain_of(sealed(message)).outcome is Outcome.PASS
    assert chain_of(by_dkimpy(sealed(signed()))).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"That is all", b"That is not all", "body was changed"),
        (b"twice", b"thrice", "header was changed"),
        (b"spf=pass smtp", b"spf=fail smtp", "seal is not valid"),
        (b"cv=none", b"cv=pass", "chain is not valid"),
        (b"ARC-Authentication-Results: i=1;", b"ARC-Authentication-Results: i=3;", "sets are incomplete"),
        (b"ARC-Authentication-Results: i=1;", b"ARC-Authentication-Results: i=x;", "sets are incomplete"),
    ],
)
def test_a_changed_chain_fails(old: bytes, new: bytes, reason: str) -> None:
    message = sealed(signed(), times=2)
    assert old in message
    assert (chain_of(message.replace(old, new)).outcome, chain_of(message.replace(old, new)).reason) == (
        Outcome.FAIL,
        reason,
    )


def test_a_set_taken_out_or_given_twice_breaks_the_chain() -> None:
    once = sealed(signed())
    newest = sealed(once).removesuffix(once)
    assert chain_of(newest + signed()).reason == "sets are incomplete"
    assert chain_of(newest + newest + once).reason == "sets are incomplete"


def test_a_chain_that_failed_stays_failed_whoever_seals_it() -> None:
    broken = sealed(signed()).replace(b"twice", b"thrice")
    again = sealed(broken)
    assert b"cv=fail" in again
    assert chain_of(again).outcome is Outcome.FAIL
    assert chain_of(again).reason == "the chain was broken before"


def test_a_key_that_is_gone_or_silent_fails_the_chain() -> None:
    assert chain_of(sealed(signed()), zone={}).reason == "no key in DNS"
    silent: Records = {("r1._domainkey.example.test", "TXT"): FAILED}  # type: ignore[dict-item]
    assert chain_of(sealed(signed()), zone=silent).reason == "DNS did not answer for the key"


def test_a_chain_has_an_end() -> None:
    found = ArcResult(Outcome.PASS, count=SETS_MAX)
    assert seal(Letter.of(MESSAGE), KEY, found, SAW, NOW) == b""


def test_all_missing_keys_are_asked_for_at_once() -> None:
    message = sealed(sealed(signed()), key=SigningKey("example.test", "e1", EDWARDS))

    def unknown(name: str, kind: str) -> Answer:
        raise NotKnownError({(name, kind)})

    with pytest.raises(NotKnownError) as caught:
        verify_chain(unknown, Letter.of(message))
    assert caught.value.keys == {("r1._domainkey.example.test", "TXT"), ("e1._domainkey.example.test", "TXT")}
