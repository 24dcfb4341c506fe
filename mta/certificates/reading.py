"""Reading what somebody offers as certificate and key: everything a server or a client would stumble over is said at once."""

from __future__ import annotations

import dataclasses
import datetime
import itertools

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from core.errors import ErrorKind, MailError

PEM_MAX_BYTES = 100_000
CHAIN_MAX = 10
RSA_MIN_BITS = 2048
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclasses.dataclass(frozen=True, slots=True)
class Material:
    """A chain, the host's own certificate first, and its key; both as PEM."""

    chain: str
    key: bytes
    issuer: str
    begins_at: datetime.datetime
    expires_at: datetime.datetime


def read_material(host: str, chain_pem: str, key_pem: str, *, now: datetime.datetime) -> Material:
    """Check that it is a certificate for `host` that can be used now.

    Raises INVALID with `field` (`chain` or `key`) and `reason`: unreadable, expired, not_yet, other_host, wrong_order,
    weak, encrypted, mismatch.
    """
    chain = _chain(chain_pem)
    key = _key(key_pem)
    own = chain[0]
    if own.public_key() != key.public_key():
        raise _invalid("key", "mismatch")
    if own.not_valid_after_utc <= now:
        raise _invalid("chain", "expired")
    if own.not_valid_before_utc > now:
        raise _invalid("chain", "not_yet")
    if not _is_for(own, host):
        raise _invalid("chain", "other_host")
    for issued, issuer in itertools.pairwise(chain):
        try:
            issued.verify_directly_issued_by(issuer)
        except (InvalidSignature, ValueError, TypeError):
            raise _invalid("chain", "wrong_order") from None
    return Material(
        "".join(each.public_bytes(serialization.Encoding.PEM).decode() for each in chain),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        _issuer(own),
        own.not_valid_before_utc,
        own.not_valid_after_utc,
    )


def _chain(pem: str) -> list[x509.Certificate]:
    if len(pem) > PEM_MAX_BYTES:
        raise _invalid("chain", "unreadable")
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise _invalid("chain", "unreadable") from None
    if len(found) > CHAIN_MAX:
        raise _invalid("chain", "unreadable")
    return found


def _key(pem: str) -> PrivateKey:
    if len(pem) > PEM_MAX_BYTES:
        raise _invalid("key", "unreadable")
    try:
        found = serialization.load_pem_private_key(pem.encode(), None)
    except TypeError:
        raise _invalid("key", "encrypted") from None
    except ValueError:
        raise _invalid("key", "unreadable") from None
    if isinstance(found, rsa.RSAPrivateKey):
        if found.key_size < RSA_MIN_BITS:
            raise _invalid("key", "weak")
        return found
    if isinstance(found, ec.EllipticCurvePrivateKey):
        return found
    raise _invalid("key", "unreadable")


def _is_for(certificate: x509.Certificate, host: str) -> bool:
    """RFC 6125 6.4: names of subjectAltName alone; a star stands for one whole label."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    known = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
    return host in known or f"*.{host.partition('.')[2]}" in known


def _issuer(certificate: x509.Certificate) -> str:
    for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        found = certificate.issuer.get_attributes_for_oid(oid)
        if found:
            return str(found[0].value)[:255]
    return certificate.issuer.rfc4514_string()[:255]


def _invalid(field: str, reason: str) -> MailError:
    return MailError(ErrorKind.INVALID, field=field, reason=reason)
