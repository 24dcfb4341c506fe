"""Signing what leaves (RFC 6376 5): by the keys of the domain that people see in From, or of the one that sends.

Aligned signatures are what DMARC of the receiver asks for. Mail of an outsider that we pass on (a list's external
members) gets the signature of our own domain, since his is not ours to give, and an ARC set saying what we saw.
"""

from __future__ import annotations

import functools

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key
from django.conf import settings
from django.db.models import Q

from accounts.models import Domain
from core.crypto import decrypt
from mta.authentication.arc import seal
from mta.authentication.judge import author_domains
from mta.authentication.letter import Letter
from mta.authentication.results import Judgement
from mta.authentication.signing import SigningKey, sign
from mta.models import DkimKey
from mta.services.dkim_keys import PURPOSE


class KnownKeys(dict[str, list[SigningKey]]):
    """The keys of domains asked for, for as long as somebody holds this: a batch asks once for each."""

    def __missing__(self, name: str) -> list[SigningKey]:
        return self.setdefault(name, signing_keys(name))


def signed(message: bytes, *, envelope_from: str, now_s: float, known: KnownKeys | None = None) -> bytes:
    """`message` with its signatures in front; as it is when no domain of ours stands behind it. Two queries for each
    domain that `known` does not know."""
    letter = Letter.of(message)
    authors = author_domains(letter)
    known = KnownKeys() if known is None else known
    for name in dict.fromkeys([*authors[:1], envelope_from.rpartition("@")[2].lower()]):
        keys = known[name]
        if keys:
            return sign(letter, keys, now_s) + message
    return message


def arc_set(message: bytes, judgement: Judgement, *, domain_id: int, now_s: float) -> bytes:
    """What we saw, sealed by a domain of ours (RFC 8617 5.1), to go in front of a stranger's mail that we pass on; b""
    without a key."""
    name = Domain.objects.filter(pk=domain_id).values_list("name", flat=True).first()
    keys = signing_keys(name) if name else []
    if not keys:
        return b""
    return seal(Letter.of(message), keys[0], judgement.arc, judgement.value(settings.EHLO_NAME), now_s)


def signing_keys(name: str) -> list[SigningKey]:
    """The keys that sign for a domain of ours or another name of it; RSA first, which everybody can check."""
    domain_id = domain_id_of(name)
    if domain_id is None:
        return []
    rows = DkimKey.objects.filter(domain_id=domain_id, state=DkimKey.State.ACTIVE).order_by("-kind", "pk")
    return [SigningKey(name, row.selector, _private(bytes(row.private))) for row in rows]


def domain_id_of(name: str) -> int | None:
    """The active domain of ours that `name` is, or stands for."""
    if not name:
        return None
    found = Domain.objects.filter(Q(name=name) | Q(aliases__name=name), is_active=True)
    return found.values_list("pk", flat=True).first()


@functools.lru_cache(maxsize=1024)
def _private(token: bytes) -> rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey:
    key = load_der_private_key(decrypt(PURPOSE, token), None)
    assert isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey)
    return key
