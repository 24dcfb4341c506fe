"""Public keys of signers in the DNS (RFC 6376 3.6, RFC 8463). Parsed keys are kept by their record's bytes."""

from __future__ import annotations

import dataclasses
import functools

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mta.authentication.outcome import Outcome
from mta.authentication.resolver import Look, Status
from mta.authentication.tags import decode_base64, parse_tags

RSA_MIN_BITS = 1024
"""RFC 8301 3.2: a signature by a shorter key proves nothing."""
RSA_MAX_BITS = 8192
"""Beyond it checking costs more than any mail is worth."""

PublicKey = rsa.RSAPublicKey | ed25519.Ed25519PublicKey


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """A usable key. `is_strict`: it may not sign for subdomains (t=s); `is_testing`: t=y."""

    public: PublicKey
    is_strict: bool = False
    is_testing: bool = False

    @property
    def kind(self) -> str:
        """The name of its algorithm in k= and a=."""
        return "rsa" if isinstance(self.public, rsa.RSAPublicKey) else "ed25519"

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether `signature` is over `data`; Ed25519 signs its SHA-256 (RFC 8463 3)."""
        try:
            if isinstance(self.public, rsa.RSAPublicKey):
                self.public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
            else:
                self.public.verify(signature, _sha256(data))
        except InvalidSignature:
            return False
        return True


@dataclasses.dataclass(frozen=True, slots=True)
class NoKey:
    """Why there is none."""

    outcome: Outcome
    reason: str


def find_key(look: Look, selector: str, domain: str) -> Key | NoKey:
    """The key `selector` of `domain`."""
    answer = look(f"{selector}._domainkey.{domain}", "TXT")
    if answer.status is Status.FAILED:
        return NoKey(Outcome.TEMPERROR, "DNS did not answer for the key")
    problem = NoKey(Outcome.PERMERROR, "no key in DNS")
    for record in answer.records:
        found = parse_key(record)
        if isinstance(found, Key):
            return found
        problem = found
    return problem


@functools.lru_cache(maxsize=4096)
def parse_key(record: bytes) -> Key | NoKey:
    """One TXT record as a key for mail and SHA-256."""
    tags = parse_tags(record)
    if tags is None or tags.get("v", "DKIM1") != "DKIM1" or "p" not in tags:
        return NoKey(Outcome.PERMERROR, "key record can't be read")
    if not tags["p"]:
        return NoKey(Outcome.PERMERROR, "key is revoked")
    if not {"sha256", ""} & set(_words(tags.get("h", ""))) or not {"*", "email"} & set(_words(tags.get("s", "*"))):
        return NoKey(Outcome.PERMERROR, "key is not for this use")
    public = _public(tags.get("k", "rsa"), decode_base64(tags["p"]))
    if isinstance(public, NoKey):
        return public
    flags = _words(tags.get("t", ""))
    return Key(public, is_strict="s" in flags, is_testing="y" in flags)


def _public(kind: str, content: bytes | None) -> PublicKey | NoKey:
    try:
        if kind == "ed25519" and content is not None:
            return ed25519.Ed25519PublicKey.from_public_bytes(content)
        if kind == "rsa" and content is not None:
            return _sized(load_der_public_key(content))
    except (ValueError, UnsupportedAlgorithm):
        pass
    return NoKey(Outcome.PERMERROR, "key can't be read")


def _sized(key: object) -> PublicKey | NoKey:
    if not isinstance(key, rsa.RSAPublicKey):
        return NoKey(Outcome.PERMERROR, "key can't be read")
    if not RSA_MIN_BITS <= key.key_size <= RSA_MAX_BITS:
        return NoKey(Outcome.POLICY, f"key of {key.key_size} bits")
    return key


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(":")]


def _sha256(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(data)
    return digest.finalize()
