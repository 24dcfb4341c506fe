"""SPF (RFC 7208): may this address send for this domain? pyspf evaluates; DNS comes through `look`.

A server sends more than one mail of a domain, so results are remembered with the answers of the DNS that they rest on, and hold
as long as the DNS answers so. Records with macros are evaluated each time: they ask for the sender and the greeting.
"""

from __future__ import annotations

import dataclasses
import logging
import warnings
from typing import Any

from django.conf import settings

from mta.authentication.inquiry import NotKnownError
from mta.authentication.outcome import Outcome
from mta.authentication.resolver import Answer, Key, Look, Status

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its docstrings hold escapes that newer Pythons warn of when they compile them
    import spf

REMEMBERED_MAX = 2_000
"""Results in a process, a kilobyte each and ten at most; then all are forgotten."""
RECORDS_MAX, TEXT_MAX_BYTES = 50, 4_096
"""Of the answers that a remembered result rests on; honest domains stay under 20 and 1,500."""

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class SpfResult:
    """`domain` is what was asked about: the envelope sender's, or the greeting's (`scope`) for the null sender."""

    outcome: Outcome
    domain: str
    scope: str = "mailfrom"
    reason: str = ""


def check_spf(look: Look, remote_address: str, helo: str, sender: str) -> SpfResult:
    """Evaluate the record of `sender`'s domain, or of `helo` for the null sender (RFC 7208 2.4)."""
    scope = "mailfrom" if sender else "helo"
    domain = sender.rpartition("@")[2].lower() if sender else helo.lower()
    if "." not in domain or domain.startswith("["):
        return SpfResult(Outcome.NONE, domain, scope)  # RFC 7208 4.3: no domain that could have a record
    origin = (remote_address, sender.partition("@")[2] if sender else helo, scope)
    result = _remembered_result(look, origin)
    if result is None:
        noted = _Noted(look)
        result = _evaluated(noted, remote_address, helo, sender)
        _remember(origin, noted.answers, result)
    return result


Origin = tuple[str, str, str]
"""Address, domain, scope: with the answers of the DNS all that a result depends on."""
_remembered: dict[Origin, tuple[dict[Key, Answer], SpfResult]] = {}


class _Noted:
    """A `Look` that keeps what it was answered."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self.answers: dict[Key, Answer] = {}

    def __call__(self, name: str, kind: str) -> Answer:
        answer = self.answers[name, kind] = self._look(name, kind)
        return answer


def _remembered_result(look: Look, origin: Origin) -> SpfResult | None:
    known = _remembered.get(origin)
    if known is None or any(look(*question) != answer for question, answer in known[0].items()):
        return None
    return known[1]


def _remember(origin: Origin, answers: dict[Key, Answer], result: SpfResult) -> None:
    texts = [record for (_, kind), answer in answers.items() if kind == "TXT" for record in answer.records]
    count = sum(1 + len(answer.records) for answer in answers.values())
    if count > RECORDS_MAX or sum(map(len, texts)) > TEXT_MAX_BYTES or any(b"%" in text for text in texts):
        return
    if any(answer.status is Status.FAILED for answer in answers.values()):
        return
    if len(_remembered) >= REMEMBERED_MAX:
        _remembered.clear()
    _remembered[origin] = answers, result


def _evaluated(look: Look, remote_address: str, helo: str, sender: str) -> SpfResult:
    scope = "mailfrom" if sender else "helo"
    domain = sender.rpartition("@")[2].lower() if sender else helo.lower()
    query = _Query(look, i=remote_address, s=sender or None, h=helo, receiver=settings.EHLO_NAME)
    try:
        word, _code, explanation = query.check()
    except NotKnownError:
        raise
    except Exception:
        # pyspf has met what it was not written for, in a record that strangers write.
        log.exception("spf check failed", extra={"domain": domain})
        word, explanation = "permerror", "The record can't be read"
    outcome = Outcome(word)
    is_error = outcome in (Outcome.TEMPERROR, Outcome.PERMERROR)
    return SpfResult(outcome, domain, scope, explanation if is_error else "")


class _Query(spf.query):
    """pyspf's evaluation with our DNS, and without the explanations that domains publish: nobody is shown them."""

    def __init__(self, look: Look, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._look = look

    def dns(self, name: Any, qtype: str, cnames: Any = None, ignore_void: bool = False) -> list[Any]:
        """The records in pyspf's form; counts answers that hold nothing (RFC 7208 4.6.4)."""
        answer = self._look(str(name), qtype)
        if answer.status is Status.FAILED:
            raise spf.TempError(f"DNS {qtype} of {name}")
        if not answer.records and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("Too many DNS answers without a record")
        return [(record,) for record in answer.records] if qtype == "TXT" else list(answer.records)

    def get_explanation(self, spec: str) -> None:
        """None, always."""
