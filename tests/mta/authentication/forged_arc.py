"""ARC sets whose every tag can be changed before they are signed; canonical forms by dkimpy, not by what is tested."""

from __future__ import annotations

import base64
import hashlib

import dkim as dkimpy
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from dkim.canonicalization import CanonicalizationPolicy, InvalidCanonicalizationPolicyError, Relaxed

Change = tuple[str, str]
"""What in a field is replaced by what, before it is signed."""
NOTHING: Change = ("", "")

RESULTS = "i={i}; lists.example.test;\r\n spf=pass smtp.mailfrom=jqd@d1.example.test;\r\n dmarc=pass"
MESSAGE = (
    "i={i}; a=rsa-sha256; c=relaxed/relaxed; d=example.test; s=r1; t=12345;\r\n"
    " h=from:to:date:subject:mime-version:arc-authentication-results; bh={bh};\r\n b={b}"
)
SEAL = "i={i}; a=rsa-sha256; cv={cv}; d=example.test; s=r1; t=12345;\r\n b={b}"
_TAKEN = ("arc-authentication-results", "arc-message-signature", "arc-seal")
Fields = list[tuple[bytes, bytes]]


def add_set(
    message: bytes,
    key: rsa.RSAPrivateKey,
    *,
    instance: int = 1,
    results: Change = NOTHING,
    ams: Change = NOTHING,
    seal: Change = NOTHING,
) -> bytes:
    """One more set in front, as its changed fields want it signed."""
    fields, body = dkimpy.rfc822_parse(message)
    ours: Fields = [(b"ARC-Authentication-Results", _value(RESULTS, results, i=instance))]
    text = _changed(MESSAGE, ams)
    tags = _tags(text)
    policy = _policy(tags.get("c"))
    digest = base64.b64encode(hashlib.sha256(policy.canonicalize_body(body)).digest()).decode()
    names = [name.strip().lower() for name in tags.get("h", "").split(":")]
    covered = policy.canonicalize_headers(_chosen([*ours, *fields], names))
    unsigned = text.format(i=instance, bh=digest, b="")
    own = policy.canonicalize_headers([(b"ARC-Message-Signature", f" {unsigned}\r\n".encode())])
    value = _signed(key, covered, own)
    ours.insert(0, (b"ARC-Message-Signature", _line(text.format(i=instance, bh=digest, b=value))))
    text = _changed(SEAL, seal)
    cv = "none" if instance == 1 else "pass"
    before = [each for number in range(1, instance) for each in _set(fields, number)]
    own = Relaxed.canonicalize_headers([(b"ARC-Seal", _line(text.format(i=instance, cv=cv, b="")))])
    value = _signed(key, Relaxed.canonicalize_headers([*before, ours[1], ours[0]]), own)
    ours.insert(0, (b"ARC-Seal", _line(text.format(i=instance, cv=cv, b=value))))
    return b"".join(name + b":" + content for name, content in ours) + message


def _changed(text: str, change: Change) -> str:
    old, new = change
    assert old in text
    return text.replace(old, new) if old else text


def _value(text: str, change: Change, *, i: int) -> bytes:
    return _line(_changed(text, change).format(i=i))


def _line(text: str) -> bytes:
    return f" {text}\r\n".encode()


def _tags(text: str) -> dict[str, str]:
    pairs = (piece.partition("=") for piece in text.split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _policy(text: str | None) -> CanonicalizationPolicy:
    try:
        return CanonicalizationPolicy.from_c_value(b"relaxed/relaxed" if text is None else text.encode())
    except InvalidCanonicalizationPolicyError:
        return CanonicalizationPolicy.from_c_value(b"relaxed/relaxed")


def _chosen(fields: Fields, names: list[str]) -> Fields:
    """From the bottom up (RFC 6376 5.4.2)."""
    left = list(fields)
    found = []
    for name in names:
        at = next((at for at in range(len(left) - 1, -1, -1) if left[at][0].decode().strip().lower() == name), None)
        if at is not None:
            found.append(left.pop(at))
    return found


def _set(fields: Fields, instance: int) -> Fields:
    """The three fields of an earlier set, in the order in which they are sealed (RFC 8617 5.1.1)."""
    return [
        next(each for each in fields if each[0].decode().lower() == name and f"i={instance};" in each[1].decode())
        for name in _TAKEN
    ]


def _signed(key: rsa.RSAPrivateKey, covered: Fields, own: Fields) -> str:
    data = b"".join(name + b":" + value for name, value in [*covered, *own]).removesuffix(b"\r\n")
    return base64.b64encode(key.sign(data, padding.PKCS1v15(), hashes.SHA256())).decode()
