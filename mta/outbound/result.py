"""What one attempt came to, recipient by recipient."""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Iterable

_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")


class Verdict(enum.Enum):
    """Done, later, or never."""

    ACCEPTED = "accepted"
    LATER = "later"
    REFUSED = "refused"


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """The answer for one recipient: enhanced code (RFC 3463), the words, and who said them."""

    recipient: str
    verdict: Verdict
    code: str
    text: str
    host: str = ""
    is_confirming: bool = False
    """The server has taken over to report a delivery (RFC 3461 5.2.2)."""


def from_reply(recipient: str, code: int, message: str, host: str) -> Result:
    """Read an SMTP reply (RFC 5321 4.2.1): the first digit decides, the enhanced code explains."""
    verdict = {2: Verdict.ACCEPTED, 5: Verdict.REFUSED}.get(code // 100, Verdict.LATER)
    found = _ENHANCED.match(message)
    digit = {Verdict.ACCEPTED: "2", Verdict.REFUSED: "5", Verdict.LATER: "4"}[verdict]
    enhanced = found[1] if found and found[1][0] == digit else f"{digit}.0.0"
    words = message[found.end() :] if found else message
    return Result(recipient, verdict, enhanced, f"{code} {' '.join(words.split())}"[:500], host)


def for_all(recipients: Iterable[str], verdict: Verdict, code: str, text: str, *, host: str = "") -> list[Result]:
    """The same result for every recipient."""
    return [Result(recipient, verdict, code, text[:500], host) for recipient in recipients]
