"""Counting what reports will tell: one observation for each judged mail whose domain wants reports."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping

from mta import daily_reports
from mta.authentication.dmarc import Policy
from mta.authentication.outcome import Outcome
from mta.authentication.results import Judgement
from mta.models import DmarcObservation

SIGNATURES_MAX = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Observation:
    """All that one row of a report says, and the record that asked for it. `outcome` is what was done to the mail."""

    day: str
    domain: str
    source: str
    outcome: str
    aligned_dkim: bool
    aligned_spf: bool
    header_from: str
    envelope_from: str
    spf: tuple[str, str, str]
    """Domain, scope (`mfrom` or `helo`), result."""
    dkim: tuple[tuple[str, str, str], ...]
    """Domain, selector, result."""
    record: tuple[str, str, int, str, str]
    """p, sp, pct, adkim, aspf."""
    report_to: tuple[str, ...]
    override: str = ""
    """Why less was done than the record asks for: `trusted_forwarder`, `sampled_out`, `local_policy`."""


def observe(judgement: Judgement, *, source: str, sender: str, at_s: float, done: str) -> Observation | None:
    """What to count of a mail; None when nobody wants to know. `done`: none, quarantine or reject."""
    dmarc, record = judgement.dmarc, judgement.dmarc.record
    if record is None or not record.report_to or dmarc.outcome not in (Outcome.PASS, Outcome.FAIL):
        return None
    strictness = ("s" if record.strict_dkim else "r", "s" if record.strict_spf else "r")
    spf = judgement.spf
    asked = record.policy_for(dmarc.domain) if dmarc.outcome is Outcome.FAIL else Policy.NONE
    return Observation(
        day=datetime.datetime.fromtimestamp(at_s, datetime.UTC).date().isoformat(),
        domain=record.domain,
        source=source,
        outcome=done,
        aligned_dkim=dmarc.dkim_aligned,
        aligned_spf=dmarc.spf_aligned,
        header_from=dmarc.domain,
        envelope_from=sender.rpartition("@")[2].lower(),
        spf=(spf.domain, "mfrom" if spf.scope == "mailfrom" else "helo", str(spf.outcome)),
        dkim=tuple((each.domain, each.selector, str(each.outcome)) for each in judgement.dkim[:SIGNATURES_MAX]),
        record=(str(record.policy), str(record.subdomains), record.percent, *strictness),
        report_to=record.report_to,
        override="" if str(asked) == done else _why_less(judgement, asked),
    )


def _why_less(judgement: Judgement, asked: Policy) -> str:
    if "which is trusted" in judgement.dmarc.reason:
        return "trusted_forwarder"
    return "local_policy" if judgement.dmarc.policy is asked else "sampled_out"


def count(observations: Mapping[Observation, int]) -> None:
    """Add to the rows inside the caller's transaction."""
    seen = ((each.day, each.domain, dataclasses.asdict(each), number) for each, number in observations.items())
    daily_reports.count(DmarcObservation, seen)
