"""DKIM: our signatures before dkimpy, dkimpy's before us, and everything a stranger may do to either."""

from __future__ import annotations

import base64
import re
import time

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from dkim import canonicalization as dkim_canonical
from hypothesis import given, strategies as st

from mta.authentication import dkim
from mta.authentication.dkim import DkimResult, signatures, verify
from mta.authentication.letter import Letter, relaxed_body, simple_body
from mta.authentication.outcome import Outcome
from mta.authentication.resolver import FAILED
from mta.authentication.signing import SigningKey, new_key, public_record, sign
from tests.mta.authentication.zone import Records, looking

NOW = 1_800_000_000.0
RSA, EDWARDS = new_key("rsa"), new_key("ed25519")
KEYS = [SigningKey("example.test", "r1", RSA), SigningKey("example.test", "e1", EDWARDS)]
ZONE: Records = {
    ("r1._domainkey.example.test", "TXT"): [public_record(RSA).encode()],
    ("e1._domainkey.example.test", "TXT"): [public_record(EDWARDS).encode()],
}
MESSAGE = (
    b"From: Alice <alice@example.test>\r\nTo: bob@elsewhere.test,\r\n\tcarol@elsewhere.test\r\n"
    b"Subject: =?utf-8?q?Hallo?=  twice   spaced\r\nDate: Fri, 15 Jan 2027 08:00:00 +0000\r\n"
    b"Message-ID: <1@example.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    b"Hello  Bob, \t\r\n\r\n.\r\nThat is all.\t \r\n\r\n\r\n"
)


def signed(message: bytes = MESSAGE, *, now_s: float = NOW, keys: list[SigningKey] = KEYS) -> bytes:
    return sign(Letter.of(message), keys, now_s) + message


def check(message: bytes, *, zone: Records = ZONE, now_s: float = NOW) -> tuple[DkimResult, ...]:
    letter = Letter.of(message)
    return tuple(verify(looking(zone), letter, field, now_s) for field in signatures(letter))


def outcomes(message: bytes, *, zone: Records = ZONE, now_s: float = NOW) -> list[tuple[str, str]]:
    return [(str(result.outcome), result.reason) for result in check(message, zone=zone, now_s=now_s)]


def ask_dkimpy(name: bytes, timeout: int = 5) -> bytes | None:
    found = ZONE.get((name.decode().rstrip("."), "TXT"))
    return found[0] if isinstance(found, list) else None


def by_dkimpy(message: bytes, canonical: tuple[bytes, bytes], *, length: bool = False) -> bytes:
    assert isinstance(RSA, rsa.RSAPrivateKey)
    pem = RSA.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    field = dkimpy.sign(message, b"r1", b"example.test", pem, canonicalize=canonical, length=length)
    return bytes(field) + message


def resign(tags: str, message: bytes = MESSAGE, key: SigningKey = KEYS[0]) -> bytes:
    """A signature with other tags than ours would have; `{bh}` stands for the right body hash."""
    letter = Letter.of(message)
    body_hash = base64.b64encode(letter.body_hash(relaxed=True)).decode()
    unsigned = f"DKIM-Signature: {tags.format(bh=body_hash)}; b="
    field = Letter.of(f"{unsigned}\r\n\r\n".encode()).fields[0]
    names = [name.strip().lower().encode() for name in re.findall(r"h=([^;]*)", tags)[0].split(":")]
    value = base64.b64encode(key.sign(dkim.signed_data(letter, field, names, relaxed=True))).decode()
    return f"{unsigned}{value}\r\n".encode() + message


PLAIN = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.test; s=r1; h=from:to:subject; bh={bh}"


def test_both_kinds_of_signature_are_accepted_by_us_and_by_dkimpy() -> None:
    message = signed(now_s=time.time())
    results = check(message, now_s=time.time())
    assert [(result.outcome, result.algorithm, result.selector) for result in results] == [
        (Outcome.PASS, "rsa-sha256", "r1"),
        (Outcome.PASS, "ed25519-sha256", "e1"),
    ]
    judge = dkimpy.DKIM(message)
    assert judge.verify(0, dnsfunc=ask_dkimpy)
    assert judge.verify(1, dnsfunc=ask_dkimpy)


@pytest.mark.parametrize("header", [b"relaxed", b"simple"])
@pytest.mark.parametrize("body", [b"relaxed", b"simple"])
def test_what_dkimpy_signs_we_accept_in_every_canonical_form(header: bytes, body: bytes) -> None:
    assert outcomes(by_dkimpy(MESSAGE, (header, body)), now_s=time.time()) == [("pass", "")]


def test_no_line_of_a_signature_is_longer_than_mail_wants() -> None:
    fields = sign(Letter.of(MESSAGE), KEYS, NOW)
    assert max(map(len, fields.split(b"\r\n"))) <= 78
    assert fields.endswith(b"\r\n")


def test_what_relays_may_do_to_a_message_breaks_nothing() -> None:
    message = signed().replace(b"To: bob@elsewhere.test,\r\n\tcarol", b"TO:   bob@elsewhere.test, carol")
    message = message.replace(b"Hello  Bob, \t\r\n", b"Hello Bob,\r\n")
    assert {outcome for outcome, _ in outcomes(b"Received: from somewhere\r\n" + message)} == {"pass"}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"That is all", b"That is not all", "body was changed"),
        (b"twice", b"thrice", "header was changed"),
        (b"Message-ID: <1@", b"Message-ID: <2@", "header was changed"),
        (b"MIME-Version: 1.0\r\n", b"", "header was changed"),
    ],
)
def test_a_changed_message_fails(old: bytes, new: bytes, reason: str) -> None:
    assert set(outcomes(signed().replace(old, new))) == {("fail", reason)}


@pytest.mark.parametrize("name", ["From", "To", "Subject", "Reply-To", "Content-Type", "Date", "Cc", "In-Reply-To"])
def test_oversigned_fields_cannot_be_added(name: str) -> None:
    more = f"{name}: mallory@evil.test\r\n".encode()
    assert set(outcomes(more + signed())) == {("fail", "header was changed")}
    assert set(outcomes(signed().replace(b"\r\n\r\n", b"\r\n" + more + b"\r\n", 1))) == {("fail", "header was changed")}


def test_lists_may_add_their_own_fields() -> None:
    more = b"List-Id: <all.example.test>\r\nList-Unsubscribe: <mailto:x@example.test>\r\n"
    assert {outcome for outcome, _ in outcomes(more + signed())} == {"pass"}


def test_a_field_on_top_of_a_signature_without_oversigning_is_not_the_signed_one() -> None:
    # The signature itself stands (RFC 6376 5.4.2 takes from the bottom); DMARC refuses two From fields.
    assert outcomes(b"From: mallory@evil.test\r\n" + resign(PLAIN)) == [("pass", "")]


def test_a_signature_ends_and_begins_when_it_says() -> None:
    assert {reason for _, reason in outcomes(signed(), now_s=NOW + 15 * 86_400)} == {"signature expired"}
    assert {outcome for outcome, _ in outcomes(signed(), now_s=NOW + 13 * 86_400)} == {"pass"}
    assert {reason for _, reason in outcomes(signed(), now_s=NOW - 3_600)} == {"signature is from the future"}
    assert outcomes(resign(PLAIN + "; t=200; x=100"), now_s=50) == [("permerror", "signature ends before it begins")]


def test_a_body_that_goes_on_after_l_does_not_pass() -> None:
    complete = by_dkimpy(MESSAGE, (b"relaxed", b"relaxed"), length=True)
    assert b"l=" in complete.partition(b"\r\n\r\n")[0]
    assert outcomes(complete, now_s=time.time()) == [("pass", "")]
    longer = complete + b"Please pay to this account instead.\r\n"
    assert outcomes(longer, now_s=time.time()) == [("policy", "body goes on after what was signed")]
    assert outcomes(resign(PLAIN + "; l=-1"))[0][0] == "permerror"
    assert outcomes(resign(PLAIN + "; l=" + "9" * 70)) == [("pass", "")]  # more than there is hashes all there is


@pytest.mark.parametrize(
    ("tags", "outcome", "reason"),
    [
        (PLAIN.replace("v=1", "v=2"), "permerror", "signature can't be read"),
        (PLAIN.replace("from:", ""), "permerror", "signature can't be read"),
        (PLAIN.replace("d=example.test", "d="), "permerror", "signature can't be read"),
        (PLAIN + "; v=1", "permerror", "signature can't be read"),
        (PLAIN.replace("rsa-sha256", "rsa-sha1"), "policy", "SHA-1"),
        (PLAIN.replace("rsa-sha256", "rsa-md5"), "permerror", "unknown algorithm"),
        (PLAIN.replace("rsa-sha256", "ed25519-sha256"), "permerror", "key is of another kind"),
        (PLAIN.replace("s=r1", "s=nobody"), "permerror", "no key in DNS"),
        (PLAIN + "; i=alice@evil.test", "permerror", "identity is not of the signing domain"),
        (PLAIN + "; i=alice@notexample.test", "permerror", "identity is not of the signing domain"),
        (PLAIN + "; i=alice@sub.example.test", "pass", ""),
        (PLAIN + "; q=http", "permerror", "key can't be asked for"),
        (PLAIN.replace("c=relaxed/relaxed", "c=strict"), "permerror", "signature can't be read"),
    ],
)
def test_tags_are_obeyed(tags: str, outcome: str, reason: str) -> None:
    assert outcomes(resign(tags)) == [(outcome, reason)]


def record(text: str) -> Records:
    return {("r1._domainkey.example.test", "TXT"): [text.encode()]}


GOOD = public_record(RSA)
PUBLIC = GOOD.rpartition("; ")[2]
"""p= of a key that every run makes anew: names of tests must not hold it."""


@pytest.mark.parametrize(
    ("text", "outcome", "reason"),
    [
        ("k=rsa; {p}", "pass", ""),
        ("v=DKIM1 ; k = rsa ;\t{p} ;", "pass", ""),
        ("v=DKIM1; p=", "permerror", "key is revoked"),
        ("v=DKIM2; {p}", "permerror", "key record can't be read"),
        ("v=DKIM1; p=AAAA", "permerror", "key can't be read"),
        ("v=DKIM1; k=x; {p}", "permerror", "key can't be read"),
        ("v=DKIM1; {p}; h=sha1", "permerror", "key is not for this use"),
        ("v=DKIM1; {p}; h=sha1:sha256", "pass", ""),
        ("v=DKIM1; {p}; s=tlsrpt", "permerror", "key is not for this use"),
        ("v=DKIM1; {p}; t=y", "neutral", "key is being tested"),
        ("hello", "permerror", "key record can't be read"),
    ],
)
def test_key_records_are_obeyed(text: str, outcome: str, reason: str) -> None:
    assert outcomes(resign(PLAIN), zone=record(text.format(p=PUBLIC))) == [(outcome, reason)]


def test_a_key_may_be_broken_by_spaces() -> None:
    assert outcomes(resign(PLAIN), zone=record("k=rsa; p= " + PUBLIC[2:40] + " " + PUBLIC[40:])) == [("pass", "")]


def test_a_strict_key_is_not_for_subdomains() -> None:
    assert outcomes(resign(PLAIN + "; i=@sub.example.test"), zone=record(GOOD + "; t=s"))[0][0] == "permerror"
    assert outcomes(resign(PLAIN), zone=record(GOOD + "; t=s")) == [("pass", "")]


def test_a_short_key_proves_nothing() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    weak = SigningKey("example.test", "r1", short)
    assert outcomes(resign(PLAIN, key=weak), zone=record(public_record(short))) == [("pass", "")]
    # 768 bits, made by openssl: cryptography makes none so short.
    tiny = (
        "MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhANKdyvK9ZNjGxIgTgkdEP88uSKXASTsAFrGaq7bDsg6i0VIXD3F+ruvq5S9L2EvQfwXwLdubmbRB"
        "fQRNoNnGyP6AUMI9nCebJ2b1PdXZE93EvMCtIzAXdudDynsjIFK3lQIDAQAB"
    )
    assert outcomes(resign(PLAIN), zone=record("v=DKIM1; p=" + tiny)) == [("policy", "key of 768 bits")]


def test_a_name_server_that_is_silent_is_a_passing_fault() -> None:
    zone: Records = {("r1._domainkey.example.test", "TXT"): FAILED}  # type: ignore[dict-item]
    assert outcomes(resign(PLAIN), zone=zone) == [("temperror", "DNS did not answer for the key")]


def test_a_replay_by_another_server_still_passes_until_it_ends() -> None:
    # DKIM says who wrote the mail and not to whom (RFC 6376 8.6): x= bounds it, oversigning keeps it unchanged.
    replayed = b"Received: from mallory\r\nX-Spam: no\r\n" + signed()
    assert {outcome for outcome, _ in outcomes(replayed, now_s=NOW + 86_400)} == {"pass"}
    assert {outcome for outcome, _ in outcomes(replayed, now_s=NOW + 30 * 86_400)} == {"fail"}


def test_each_name_takes_the_lowest_field_left_and_never_the_signature_itself() -> None:
    letter = Letter.of(b"X: 1\r\nDKIM-Signature: own\r\nx : 2\r\nDKIM-Signature: other\r\nY: 3\r\n\r\n")
    own = letter.named(b"dkim-signature")[0]
    found = letter.chosen([b"y", b"x", b"dkim-signature", b"dkim-signature", b"x", b"x", b"z"], besides=own)
    assert [field.value.strip() for field in found] == [b"3", b"2", b"other", b"1"]
    assert [field.value.strip() for field in letter.named(b"x")] == [b"1", b"2"]


def test_work_is_bounded_in_signatures_and_fields() -> None:
    one = sign(Letter.of(MESSAGE), KEYS[:1], NOW)
    assert len(check(one * 50 + MESSAGE)) == dkim.SIGNATURES_MAX
    assert outcomes(b"X: y\r\n" * 2_000 + signed())[0] == ("permerror", "too many header fields")


@given(st.binary(max_size=300))
def test_any_bytes_have_a_canonical_form_that_is_its_own(body: bytes) -> None:
    body = body.replace(b"\r", b"").replace(b"\n", b"\r\n")
    body += b"\r\n" if body else b""  # SMTP carries whole lines
    assert relaxed_body(relaxed_body(body)) == relaxed_body(body)
    assert simple_body(simple_body(body)) == simple_body(body)
    assert relaxed_body(body) == bytes(dkim_canonical.Relaxed.canonicalize_body(body))
    assert simple_body(body) == bytes(dkim_canonical.Simple.canonicalize_body(body))


@given(st.binary(max_size=400))
def test_no_signature_is_too_strange(value: bytes) -> None:
    field = b"DKIM-Signature: " + value.replace(b"\r", b"").replace(b"\n", b"") + b"\r\n"
    assert all(result.outcome is not Outcome.PASS for result in check(field + MESSAGE))


def test_long_runs_of_spaces_take_linear_time() -> None:
    body = b" " * 3_000_000 + b"x\r\n"
    assert relaxed_body(body) == b" x\r\n"
