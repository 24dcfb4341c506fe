"""ARC (RFC 8617): what mail servers on the way say they saw. Verifying a chain, adding a set to it.

A chain that passes only says that nobody changed it; whether its sealers are believed is for `dmarc.py` and a setting.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import Sequence

from mta.authentication.dkim import ALGORITHMS, FIELDS_MAX, has_good_times, read_signature, verify_hashes
from mta.authentication.inquiry import NotKnownError
from mta.authentication.keys import NoKey, find_key
from mta.authentication.letter import Field, Letter, relaxed_field
from mta.authentication.outcome import Outcome
from mta.authentication.resolver import Key, Look
from mta.authentication.signing import SIGNED, SigningKey, signed_field, wrapped
from mta.authentication.tags import parse_tags, without_signature

SETS_MAX = 50
"""RFC 8617 4.2.1."""

RESULTS, MESSAGE, SEAL = b"arc-authentication-results", b"arc-message-signature", b"arc-seal"
MESSAGE_REQUIRED = ("i", "a", "b", "bh", "d", "h", "s")
SEAL_REQUIRED = ("i", "a", "b", "cv", "d", "s")
_INSTANCE = re.compile(rb"[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*([0-9]{1,2})[ \t\r\n]*;(.*)", re.DOTALL)


@dataclasses.dataclass(frozen=True, slots=True)
class ArcSet:
    """The three fields of one instance."""

    results: Field
    message: Field
    seal: Field


@dataclasses.dataclass(frozen=True, slots=True)
class ArcResult:
    """`sealers`: the d= of every set, oldest first; `claimed`: what the first of them saw (without its i=)."""

    outcome: Outcome
    sealers: tuple[str, ...] = ()
    claimed: str = ""
    reason: str = ""
    count: int = 0


NO_CHAIN = ArcResult(Outcome.NONE)


def verify_chain(look: Look, letter: Letter) -> ArcResult:
    """RFC 8617 5.2."""
    sets = _sets(letter)
    if sets is None:
        return ArcResult(Outcome.FAIL, reason="sets are incomplete")
    if not sets:
        return NO_CHAIN
    tags = [parse_tags(each.seal.value) or {} for each in sets]
    reason = _problem_of_sets(tags)
    if not reason:
        _require_keys(look, [*tags, parse_tags(sets[-1].message.value) or {}])
        reason = _problem_of_message(look, letter, sets[-1].message) or _problem_of_seals(look, sets)
    sealers = tuple(each.get("d", "").lower() for each in tags)
    if reason:
        return ArcResult(Outcome.FAIL, sealers, reason=reason, count=len(sets))
    found = _INSTANCE.fullmatch(sets[0].results.value)
    claimed = b" ".join(found[2].split()).decode("utf-8", "replace") if found else ""
    return ArcResult(Outcome.PASS, sealers, claimed, count=len(sets))


def seal(letter: Letter, key: SigningKey, chain: ArcResult, results: str, now_s: float) -> bytes:
    """The fields of one more set, CRLF at the end of each, to go in front; b"" when the chain must not grow.

    `results` is the value of our Authentication-Results for this mail, `chain` what `verify_chain` said of it.
    """
    instance = chain.count + 1
    if instance > SETS_MAX or (chain.outcome is Outcome.FAIL and not chain.count):
        return b""
    results_field = f"ARC-Authentication-Results: i={instance};\r\n\t{results}\r\n".encode()
    message = _message_signature(letter, key, instance, now_s)
    cv = {Outcome.NONE: "none", Outcome.PASS: "pass"}.get(chain.outcome, "fail")
    tags = f"i={instance}; a={key.algorithm}; cv={cv}; d={key.domain}; s={key.selector};\r\n\tt={int(now_s)}; b="
    unsigned = b"ARC-Seal: " + tags.encode()
    # RFC 8617 5.1.2: a seal over a chain that has failed covers its own set alone.
    before = (_sets(letter) or []) if cv != "fail" else []
    covered = [field for each in before for field in (each.results, each.message, each.seal)]
    lines = b"".join(map(relaxed_field, [*covered, _field(results_field), _field(message)]))
    signature = base64.b64encode(key.sign(lines + _own_line(Field(SEAL, unsigned)))).decode()
    return unsigned + wrapped(signature).encode() + b"\r\n" + message + results_field


def _message_signature(letter: Letter, key: SigningKey, instance: int, now_s: float) -> bytes:
    there = [field.name for field in letter.fields]
    names = [name for name in (*SIGNED, b"dkim-signature") for _ in range(there.count(name))]
    tags = {
        "i": str(instance),
        "a": key.algorithm,
        "c": "relaxed/relaxed",
        "d": key.domain,
        "s": key.selector,
        "t": str(int(now_s)),
        "h": b":".join(names).decode(),
        "bh": base64.b64encode(letter.body_hash(relaxed=True)).decode(),
    }
    return signed_field("ARC-Message-Signature", tags, letter, key, names)


def _field(line: bytes) -> Field:
    raw = line.removesuffix(b"\r\n")
    return Field(raw.partition(b":")[0].lower(), raw)


def _sets(letter: Letter) -> list[ArcSet] | None:
    """The sets by instance, oldest first; None when one is not whole or there are too many."""
    found: dict[bytes, dict[int, Field]] = {RESULTS: {}, MESSAGE: {}, SEAL: {}}
    for name, fields in found.items():
        for field in letter.by_name.get(name, ()):
            instance = _instance(field)
            if instance is None or instance in fields:
                return None
            fields[instance] = field
    wanted = list(range(1, len(found[SEAL]) + 1))
    if len(wanted) > SETS_MAX or any(sorted(fields) != wanted for fields in found.values()):
        return None
    return [ArcSet(found[RESULTS][i], found[MESSAGE][i], found[SEAL][i]) for i in wanted]


def _instance(field: Field) -> int | None:
    if field.name == RESULTS:
        found = _INSTANCE.fullmatch(field.value)
        return int(found[1]) if found else None
    text = (parse_tags(field.value) or {}).get("i", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else None


def _problem_of_sets(tags: Sequence[dict[str, str]]) -> str:
    """The word that each sealer gave on the chain before him (5.2 step 3)."""
    words = [each.get("cv", "").lower() for each in tags]
    if words[-1] == "fail":
        return "the chain was broken before"
    return "" if words[0] == "none" and set(words[1:]) <= {"pass"} else "chain is not valid"


def _require_keys(look: Look, signatures: Sequence[dict[str, str]]) -> None:
    """Learn of all the keys that are missing at once, before anything costly is done."""
    missing: set[Key] = set()
    for tags in signatures:
        try:
            look(f"{tags.get('s', '')}._domainkey.{tags.get('d', '')}", "TXT")
        except NotKnownError as error:
            missing |= error.keys
    if missing:
        raise NotKnownError(missing)


def _problem_of_message(look: Look, letter: Letter, field: Field) -> str:
    if len(letter.fields) > FIELDS_MAX:
        return "too many header fields"
    signature = read_signature(field, required=MESSAGE_REQUIRED)
    if signature.problem is not None:
        return signature.problem[1]
    if SEAL in signature.names:
        return "signature covers a seal"  # 4.1.2
    if b"from" not in signature.names or not has_good_times(signature.tags):
        return "signature can't be read"  # RFC 6376 6.1.1, 3.5
    tags = {name: value for name, value in signature.tags.items() if name != "i"}  # i= is no identity here
    problem = verify_hashes(look, letter, field, dataclasses.replace(signature, tags=tags))
    return problem[1] if problem is not None else ""


def _problem_of_seals(look: Look, sets: Sequence[ArcSet]) -> str:
    lines = [relaxed_field(field) for each in sets for field in (each.results, each.message, each.seal)]
    problems = (_problem_of_seal(look, sets[at].seal, b"".join(lines[: 3 * at + 2])) for at in range(len(sets)))
    return next(filter(None, problems), "")


def _problem_of_seal(look: Look, field: Field, before: bytes) -> str:
    signature = read_signature(field, required=SEAL_REQUIRED)
    tags = signature.tags
    if signature.problem is not None or "h" in tags or tags["a"] not in ALGORITHMS or not has_good_times(tags):  # 4.1.3
        return "seal can't be read"
    key = find_key(look, tags["s"], tags["d"])
    if isinstance(key, NoKey):
        return key.reason
    right = key.kind == ALGORITHMS[tags["a"]] and key.verifies(signature.value, before + _own_line(field))
    return "" if right else "seal is not valid"


def _own_line(field: Field) -> bytes:
    """A seal without its b= and without CRLF, as it stands at the end of what it covers (5.1.1)."""
    return relaxed_field(Field(field.name, without_signature(field.raw)))[:-2]
