"""SCRAM-SHA-256, the server's half (RFC 5802, RFC 7677), sans I/O: messages in, messages out.

An account may have several secrets; they share salt and rounds, so one dialogue proves any of them.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence

MAX_MESSAGE = 4_096
NONCE_BYTES = 18

_FIRST = re.compile(
    r"(?P<gs2>(?P<binding>n|y|p=(?P<type>[A-Za-z0-9.\-]+)),(?:a=(?P<authzid>[^,]*))?,)(?P<bare>.*)\Z", re.DOTALL
)
_BARE = re.compile(r"n=(?P<name>[^,]+),r=(?P<nonce>[\x21-\x2b\x2d-\x7e]+)(?P<more>,.*)?\Z", re.DOTALL)
_FINAL = re.compile(
    r"(?P<bare>c=(?P<binding>[A-Za-z0-9+/=]+),r=(?P<nonce>[^,]+)(?P<more>,.*)?),p=(?P<proof>[A-Za-z0-9+/=]+)\Z",
    re.DOTALL,
)


class ScramError(Exception):
    """What the client said is no SCRAM, or binds to another channel."""


@dataclasses.dataclass(frozen=True, slots=True)
class Verifier:
    """What is kept of one secret (RFC 5802 3). `key` says whose it is."""

    key: int
    stored_key: bytes
    server_key: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class ClientFirst:
    """Who it claims to be, and what the rest must repeat."""

    name: str
    nonce: str
    bare: str
    binding: bytes
    """What `c=` of the last message must be: the GS2 header and the channel's data (RFC 5802 7)."""


def client_first(message: bytes, *, plus: bool, offers_plus: bool, bindings: Mapping[str, bytes]) -> ClientFirst:
    """Read the first message. `plus`: the mechanism is -PLUS; `offers_plus`: this connection offered it."""
    found = _FIRST.match(_text(message))
    bare = _BARE.match(found["bare"]) if found else None
    if found is None or bare is None:
        raise ScramError("not a first message")
    _require_none(bare["more"])
    if plus != (found["type"] is not None) or (found["binding"] == "y" and offers_plus):
        raise ScramError("somebody took -PLUS out of the list")  # RFC 5802 6
    if found["type"] is not None and found["type"] not in bindings:
        raise ScramError("unknown channel binding")
    name = _name(bare["name"])
    if found["authzid"] and _name(found["authzid"]) != name:
        raise ScramError("acting for somebody else is not offered")
    data = bindings[found["type"]] if found["type"] is not None else b""
    return ClientFirst(name, bare["nonce"], found["bare"], found["gs2"].encode() + data)


@dataclasses.dataclass(frozen=True, slots=True)
class Dialogue:
    """After the first message."""

    first: ClientFirst
    nonce: str
    challenge: str

    @classmethod
    def begin(cls, first: ClientFirst, *, salt: bytes, rounds: int) -> Dialogue:
        """With a nonce of ours behind the client's."""
        nonce = first.nonce + secrets.token_urlsafe(NONCE_BYTES)
        return cls(first, nonce, f"r={nonce},s={base64.b64encode(salt).decode()},i={rounds}")

    def prove(self, message: bytes, verifiers: Sequence[Verifier]) -> tuple[int, bytes] | None:
        """(key of the verifier that was proved, the server's last message), or None. The work is the same for all."""
        found = _FINAL.match(_text(message))
        if found is None:
            raise ScramError("not a last message")
        _require_none(found["more"])
        if not hmac.compare_digest(_decoded(found["binding"]), self.first.binding):
            raise ScramError("another channel")
        if not hmac.compare_digest(found["nonce"].encode(), self.nonce.encode()):
            raise ScramError("another dialogue")
        said = f"{self.first.bare},{self.challenge},{found['bare']}".encode()
        proof = _decoded(found["proof"])
        proved = [each for each in verifiers if _is_proof(proof, said, each.stored_key)]
        if not proved:
            return None
        signature = hmac.digest(proved[0].server_key, said, "sha256")
        return proved[0].key, b"v=" + base64.b64encode(signature)


def _require_none(extensions: str | None) -> None:
    """Of what nobody knows yet all may be passed over but what must not (RFC 5802 5.1, `m`)."""
    if extensions and ",m=" in extensions:
        raise ScramError("a mandatory extension")


def _is_proof(proof: bytes, said: bytes, stored_key: bytes) -> bool:
    signature = hmac.digest(stored_key, said, "sha256")
    if len(proof) != len(signature):
        return False
    client_key = bytes(one ^ other for one, other in zip(proof, signature, strict=True))
    return hmac.compare_digest(hashlib.sha256(client_key).digest(), stored_key)


def _text(message: bytes) -> str:
    if len(message) > MAX_MESSAGE:
        raise ScramError("too long")
    try:
        return message.decode()
    except UnicodeDecodeError:
        raise ScramError("not UTF-8") from None


def _name(coded: str) -> str:
    """RFC 5802 5.1: `=2C` and `=3D`, and no other `=`."""
    name = coded.replace("=2C", ",").replace("=3D", "\0")
    if "=" in name or "\0" in coded:
        raise ScramError("bad name")
    return name.replace("\0", "=")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ScramError("not base64") from None
