"""Verifying DKIM signatures (RFC 6376, RFC 8301, RFC 8463).

A signature counts when it covers the whole body: what l= leaves out is anybody's, so such a mail is `policy` as soon as
something was appended. SHA-1 and short keys are `policy` too. Header fields are taken from the bottom up, so a second
From put on top of a signed one is not what was signed; `dmarc.py` refuses to choose between two.
"""

from __future__ import annotations

import dataclasses

from mta.authentication.keys import NoKey, find_key
from mta.authentication.letter import Field, Letter, relaxed_field, simple_field
from mta.authentication.outcome import Outcome
from mta.authentication.resolver import Look
from mta.authentication.tags import decode_base64, parse_tags, without_signature

SIGNATURES_MAX = 6
"""Signatures of one mail that are looked at, from the top: the latest signers are there (RFC 6376 6.1)."""
FIELDS_MAX = 1000
"""Header fields of a mail whose signatures are checked; more would cost the other connections their time."""
CLOCK_SKEW_S = 300
ALGORITHMS = {"rsa-sha256": "rsa", "ed25519-sha256": "ed25519"}
REQUIRED = ("v", "a", "b", "bh", "d", "h", "s")


@dataclasses.dataclass(frozen=True, slots=True)
class DkimResult:
    """What one signature came to. `mark`: the start of b=, which tells signatures of one domain apart (RFC 6008)."""

    outcome: Outcome
    domain: str = ""
    selector: str = ""
    algorithm: str = ""
    identity: str = ""
    mark: str = ""
    reason: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Signature:
    """A signature that can be checked, or (`problem`) why not."""

    tags: dict[str, str]
    value: bytes = b""
    body_hash: bytes = b""
    problem: tuple[Outcome, str] | None = None

    @property
    def relaxed(self) -> tuple[bool, bool]:
        """Canonical form of header and body (3.5 c=)."""
        header, _, body = self.tags.get("c", "simple/simple").partition("/")
        return header == "relaxed", body == "relaxed"

    @property
    def names(self) -> list[bytes]:
        """h= as lower-case names."""
        return [name.strip().encode() for name in self.tags["h"].lower().split(":")]

    @property
    def length(self) -> int | None:
        """l=, octets of the body."""
        return int(self.tags["l"]) if "l" in self.tags else None


def signatures(letter: Letter) -> list[Field]:
    """The fields to verify, the topmost first."""
    return letter.named(b"dkim-signature")[:SIGNATURES_MAX]


def verify(look: Look, letter: Letter, field: Field, now_s: float) -> DkimResult:
    """Check one DKIM-Signature field."""
    signature = read_signature(field, required=REQUIRED)
    if len(letter.fields) > FIELDS_MAX:
        return _result(signature.tags, Outcome.PERMERROR, "too many header fields")
    problem = signature.problem or _problem_of_tags(signature.tags, now_s)
    if problem is None:
        problem = verify_hashes(look, letter, field, signature)
    return _result(signature.tags, *(problem or (Outcome.PASS, "")))


def read_signature(field: Field, *, required: tuple[str, ...]) -> Signature:
    """Parse a signature field (DKIM's, or ARC's which lack v=)."""
    tags = parse_tags(field.value)
    if tags is None or not all(tags.get(name) for name in required):
        return Signature(tags or {}, problem=(Outcome.PERMERROR, "signature can't be read"))
    value, body_hash = decode_base64(tags["b"]), decode_base64(tags.get("bh", ""))
    good_length = tags.get("l", "0").isascii() and tags.get("l", "0").isdigit() and len(tags.get("l", "")) <= 76
    canonical = tags.get("c", "simple").split("/")
    if value is None or body_hash is None or not good_length or not set(canonical) <= {"simple", "relaxed"}:
        return Signature(tags, problem=(Outcome.PERMERROR, "signature can't be read"))
    return Signature(tags, value, body_hash)


def _problem_of_tags(tags: dict[str, str], now_s: float) -> tuple[Outcome, str] | None:
    names = [name.strip() for name in tags["h"].lower().split(":")]
    domain, identity = tags["d"].lower(), tags.get("i", "@" + tags["d"]).rpartition("@")[2].lower()
    if tags["v"] != "1" or "from" not in names:
        return Outcome.PERMERROR, "signature can't be read"  # 3.5 v=, 5.4
    if identity != domain and not identity.endswith("." + domain):
        return Outcome.PERMERROR, "identity is not of the signing domain"  # 6.1.1
    if tags.get("q", "dns/txt") != "dns/txt":
        return Outcome.PERMERROR, "key can't be asked for"
    if not has_good_times(tags):
        return Outcome.PERMERROR, "signature can't be read"
    return _problem_of_times(tags.get("t", ""), tags.get("x", ""), now_s)


def has_good_times(tags: dict[str, str]) -> bool:
    """Whether t= and x= are numbers where they are there (3.5)."""
    found = [tags[name] for name in ("t", "x") if name in tags]
    return all(text.isascii() and text.isdigit() and len(text) <= 12 for text in found)


def _problem_of_times(made: str, ends: str, now_s: float) -> tuple[Outcome, str] | None:
    if ends and now_s > int(ends):
        return Outcome.FAIL, "signature expired"  # 3.5 x=
    if ends and made and int(ends) <= int(made):
        return Outcome.PERMERROR, "signature ends before it begins"
    if made and int(made) > now_s + CLOCK_SKEW_S:
        return Outcome.FAIL, "signature is from the future"  # 3.5 t=
    return None


def verify_hashes(look: Look, letter: Letter, field: Field, signature: Signature) -> tuple[Outcome, str] | None:
    """Key, body hash, signature; None when all is right. Also ARC-Message-Signature's check (RFC 8617 4.1.2)."""
    tags = signature.tags
    if tags["a"] not in ALGORITHMS:
        weak = tags["a"] == "rsa-sha1"
        return (Outcome.POLICY, "SHA-1") if weak else (Outcome.PERMERROR, "unknown algorithm")  # RFC 8301 3.1
    key = find_key(look, tags["s"], tags["d"])
    if isinstance(key, NoKey):
        return key.outcome, key.reason
    if key.kind != ALGORITHMS[tags["a"]]:
        return Outcome.PERMERROR, "key is of another kind"
    if key.is_strict and tags.get("i", "@" + tags["d"]).rpartition("@")[2].lower() != tags["d"].lower():
        return Outcome.PERMERROR, "key is not for subdomains"
    relaxed_header, relaxed = signature.relaxed
    if letter.body_hash(relaxed=relaxed, length=signature.length) != signature.body_hash:
        return Outcome.FAIL, "body was changed"
    if not key.verifies(signature.value, signed_data(letter, field, signature.names, relaxed=relaxed_header)):
        return Outcome.FAIL, "header was changed"
    if signature.length is not None and signature.length < letter.body_length(relaxed=relaxed):
        return Outcome.POLICY, "body goes on after what was signed"
    return (Outcome.NEUTRAL, "key is being tested") if key.is_testing else None


def signed_data(letter: Letter, field: Field, names: list[bytes], *, relaxed: bool) -> bytes:
    """What the signature is over: the chosen fields, then its own field without b= and without CRLF (3.7)."""
    form = relaxed_field if relaxed else simple_field
    own = form(Field(field.name, without_signature(field.raw)))[:-2]
    return b"".join(map(form, letter.chosen(names, besides=field))) + own


def _result(tags: dict[str, str], outcome: Outcome, reason: str) -> DkimResult:
    return DkimResult(
        outcome,
        domain=tags.get("d", "").lower()[:255],
        selector=tags.get("s", "")[:255],
        algorithm=tags.get("a", "")[:40],
        identity=tags.get("i", "")[:320],
        mark="".join(tags.get("b", "").split())[:8],
        reason=reason,
    )
