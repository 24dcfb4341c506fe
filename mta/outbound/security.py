"""How sure of its peer a connection must be: not at all, encrypted, a valid certificate, or the one DNSSEC names.

Opportunistic (RFC 7435): TLS when it is offered and works, any certificate. Everything stricter fails rather than fall
back: a policy of the recipient's domain (DANE, MTA-STS), the author's wish (RFC 8689), or a smart host's.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import hashlib
import ssl
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

DER = 2
"""`_ssl.ENCODING_DER`."""


class Level(enum.Enum):
    """From least to most."""

    PLAIN = "plain"
    """No TLS, not even when it is offered."""
    OPPORTUNISTIC = "opportunistic"
    ENCRYPTED = "encrypted"
    """TLS, whoever it is: DANE records exist and none can be used (RFC 7672 2.2)."""
    VERIFIED = "verified"
    """A certificate of a known authority for the server's name (RFC 8461 4.1)."""
    DANE = "dane"


@dataclasses.dataclass(frozen=True, slots=True)
class Tlsa:
    """One TLSA record (RFC 6698 2.1)."""

    usage: int
    selector: int
    matching: int
    data: bytes

    @property
    def is_usable(self) -> bool:
        """RFC 7672 3.1: DANE-TA(2) and DANE-EE(3) alone, by a hash or in full."""
        return self.usage in {2, 3} and self.selector in {0, 1} and self.matching in {0, 1, 2}


@dataclasses.dataclass(frozen=True, slots=True)
class Security:
    """`names` are those that a verified certificate may be for, besides the server's (RFC 7672 3.2.2)."""

    level: Level = Level.OPPORTUNISTIC
    records: tuple[Tlsa, ...] = ()
    names: tuple[str, ...] = ()
    policy: str = "no-policy-found"
    """What a report calls it (RFC 8460 4.4): tlsa, sts or no-policy-found."""
    base: str = ""
    """The name under which TLSA was found: the one to ask the server for, and the first that its certificate may be for
    (RFC 7672 3.2.2, 8.1). Empty: the server's own."""
    is_testing: bool = False
    """A policy that wants failures reported and nothing refused (RFC 8461 5)."""
    is_named: bool = True
    """Whether a policy that is tested names this server; an enforced one leaves out those that it doesn't."""

    @property
    def demands_tls(self) -> bool:
        """Whether there is no mail without it."""
        return self.level not in {Level.PLAIN, Level.OPPORTUNISTIC}


OPPORTUNISTIC = Security()
VERIFIED = Security(Level.VERIFIED)
PLAIN = Security(Level.PLAIN)


@functools.cache
def context_for(*, checked: bool) -> ssl.SSLContext:
    """Made once: reading the authorities takes 20 ms."""
    if checked:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def matches(records: tuple[Tlsa, ...], tls: ssl.SSLObject, names: tuple[str, ...]) -> bool:
    """Whether the chain that the server showed is one that a usable record names (RFC 7672 3.1). A certificate that can't
    be read is none."""
    try:
        return _matches(records, _chain(tls), names)
    except (ValueError, UnsupportedAlgorithm):
        return False


def _matches(records: tuple[Tlsa, ...], chain: list[x509.Certificate], names: tuple[str, ...]) -> bool:
    usable = [record for record in records if record.is_usable]
    if chain and any(record.usage == 3 and _is(record, chain[0]) for record in usable):
        return True  # DANE-EE: neither names nor dates count (3.1.1)
    anchors = [each for each in chain if any(record.usage == 2 and _is(record, each) for record in usable)]
    return any(_leads_to(anchor, chain, name) for anchor in anchors for name in names)


def _chain(tls: ssl.SSLObject) -> list[x509.Certificate]:
    """What the peer sent, its own certificate first; Python 3.13 has a public name for it."""
    public: Any = getattr(tls, "get_unverified_chain", None)
    shown: Any = public() if public is not None else getattr(tls, "_sslobj").get_unverified_chain()  # noqa: B009
    encoded = (each if isinstance(each, bytes) else each.public_bytes(DER) for each in shown or ())
    return [x509.load_der_x509_certificate(each) for each in encoded]


def _is(record: Tlsa, certificate: x509.Certificate) -> bool:
    encoding = serialization.Encoding.DER
    if record.selector:
        content = certificate.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    else:
        content = certificate.public_bytes(encoding)
    if record.matching:
        content = hashlib.new({1: "sha256", 2: "sha512"}[record.matching], content).digest()
    return content == record.data


def _leads_to(anchor: x509.Certificate, chain: list[x509.Certificate], name: str) -> bool:
    """Whether the first of `chain` was issued for `name` under `anchor`."""
    try:
        verifier = PolicyBuilder().store(Store([anchor])).build_server_verifier(x509.DNSName(name))
        verifier.verify(chain[0], chain[1:])
    except (VerificationError, InvalidSignature, ValueError):
        return False
    return True
