"""Why a mail was judged as it was, for the pages that show it."""

from __future__ import annotations

import dataclasses

from django.utils.translation import gettext as _

from mta.inbound.filing import Verdict
from mta.spam.finding import decode
from mta.spam.told import DANGERS, Told, told


@dataclasses.dataclass(frozen=True, slots=True)
class Reasons:
    """`verdict` is a sentence, '' for a mail that was simply delivered; `warnings` must be seen without a click; `score` is
    the sum of the points of `lines`."""

    verdict: str
    warnings: list[str]
    lines: list[Told]
    score: str


def reasons_of(judgement: str, verdict: int = 0) -> Reasons | None:
    """None for a mail that nobody judged."""
    judged = decode(judgement)
    sentence = _verdict(verdict)
    if not judged.findings and not sentence:
        return None
    lines = told(judged)
    warned = [line.words for line, finding in zip(lines, judged.findings, strict=True) if finding.rule in DANGERS]
    return Reasons(sentence, warned, lines, f"{judged.tenths / 10:.1f}")


def _verdict(verdict: int) -> str:
    words = {
        Verdict.DMARC: _("It was put into Junk because its sender may be forged."),
        Verdict.BLOCKED: _("It was put into Junk because its sender is on the blacklist."),
        Verdict.SPAM: _("It was put into Junk because it looks like junk mail."),
        Verdict.FILE: _("It was put into Junk because of what is attached."),
        Verdict.REJECTED: _("It was put into Junk because one of your filters rejects it."),
        Verdict.RELEASED: _("It was released from quarantine."),
    }
    return words.get(verdict, "")  # type: ignore[call-overload,no-any-return]
