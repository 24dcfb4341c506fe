"""Making DKIM signatures (RFC 6376 5, RFC 8463), relaxed/relaxed, and the parts that ARC seals share."""

from __future__ import annotations

import base64
import collections
import dataclasses
import hashlib
from collections.abc import Sequence

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from mta.authentication.dkim import signed_data
from mta.authentication.letter import Field, Letter

RSA_BITS = 2048
"""RFC 8301 3.2; longer keys need more than one string in the DNS and some panels can't take them."""
VALID_S = 14 * 86_400
"""x=: longer than any queue tries (RFC 5321 4.5.4.1), short enough to end the replay of a signed mail."""
LINE_MAX = 76

SIGNED = (
    *(b"from", b"sender", b"reply-to", b"to", b"cc", b"subject", b"date", b"message-id", b"in-reply-to", b"references"),
    *(b"mime-version", b"content-type", b"content-transfer-encoding", b"content-disposition"),
    *(b"list-id", b"list-unsubscribe", b"list-unsubscribe-post"),
)
"""What is signed when it is there (5.4.1)."""
OVERSIGNED = frozenset(SIGNED) - {b"list-id", b"list-unsubscribe", b"list-unsubscribe-post", b"sender"}
"""Named once more than they are there, so that nobody can add one (5.4.2, 8.15); mailing lists may add the others."""

PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclasses.dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and where its public half is published."""

    domain: str
    selector: str
    private: PrivateKey

    @property
    def algorithm(self) -> str:
        """a=."""
        return "rsa-sha256" if isinstance(self.private, rsa.RSAPrivateKey) else "ed25519-sha256"

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`; Ed25519 signs its SHA-256 (RFC 8463 3)."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self.private.sign(hashlib.sha256(data).digest())


def new_key(kind: str) -> PrivateKey:
    """A fresh key: "rsa" or "ed25519"."""
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)


def public_record(private: PrivateKey) -> str:
    """The TXT record that publishes the public half (RFC 6376 3.6.1, RFC 8463 4)."""
    public = private.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        content = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    else:
        content = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    kind = "rsa" if isinstance(public, rsa.RSAPublicKey) else "ed25519"
    return f"v=DKIM1; k={kind}; p={base64.b64encode(content).decode()}"


def sign(letter: Letter, keys: Sequence[SigningKey], now_s: float) -> bytes:
    """One DKIM-Signature field for each key, CRLF at the end of each; they go in front of the message."""
    body_hash = base64.b64encode(letter.body_hash(relaxed=True)).decode() if keys else ""
    names = _names(letter)
    fields = []
    for key in keys:
        tags = {
            "v": "1",
            "a": key.algorithm,
            "c": "relaxed/relaxed",
            "d": key.domain,
            "s": key.selector,
            "t": str(int(now_s)),
            "x": str(int(now_s) + VALID_S),
            "h": b":".join(names).decode(),
            "bh": body_hash,
        }
        fields.append(signed_field("DKIM-Signature", tags, letter, key, names))
    return b"".join(fields)


def signed_field(name: str, tags: dict[str, str], letter: Letter, key: SigningKey, names: list[bytes]) -> bytes:
    """A signature field over `names` of `letter` and itself, with its CRLF."""
    unsigned = f"{_folded(name, tags)}\r\n\tb="
    field = Field(name.lower().encode(), unsigned.encode())
    signature = base64.b64encode(key.sign(signed_data(letter, field, names, relaxed=True))).decode()
    return (unsigned + wrapped(signature) + "\r\n").encode()


def wrapped(text: str) -> str:
    """Base64 in lines."""
    return "\r\n\t ".join(text[at : at + LINE_MAX - 4] for at in range(0, len(text), LINE_MAX - 4))


def _folded(name: str, tags: dict[str, str]) -> str:
    """`Name: a=1; b=2;` in lines; h= is folded at its colons."""
    lines = [f"{name}:"]
    for tag, value in tags.items():
        first, *others = value.split(":") if tag == "h" else [value]
        for piece in (f" {tag}={first}", *(f":{word}" for word in others)):
            if len(lines[-1]) + len(piece) >= LINE_MAX:
                lines.append(piece.lstrip())
            else:
                lines[-1] += piece
        lines[-1] += ";"
    return "\r\n\t".join(lines)


def _names(letter: Letter) -> list[bytes]:
    counts = collections.Counter(field.name for field in letter.fields)
    return [name for name in SIGNED for _ in range(counts[name] + (name in OVERSIGNED))]
