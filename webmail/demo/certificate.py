"""A certificate of the demo's mail host, issued by an authority that nobody trusts, as its name says."""

from __future__ import annotations

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

AUTHORITY = "Example Demo Authority"
VALID_DAYS = 90


def issue(host: str, now: datetime.datetime) -> tuple[str, str]:
    """PEM of a chain for `host`, half of its time over at `now`, and of its key."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _name(AUTHORITY)
    begins = now - datetime.timedelta(days=VALID_DAYS // 2)

    def unsigned(name: x509.Name, public: ec.EllipticCurvePublicKey, *, is_authority: bool) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + datetime.timedelta(days=VALID_DAYS))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )

    root = unsigned(issuer, authority_key.public_key(), is_authority=True).sign(authority_key, hashes.SHA256())
    own = unsigned(_name(host), key.public_key(), is_authority=False)
    own = own.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    chain = (own.sign(authority_key, hashes.SHA256()), root)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in chain), pem.decode()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
