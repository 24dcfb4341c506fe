"""DMARC (RFC 7489): does what SPF and DKIM proved belong to the domain that people see in From?

The organisational domain comes from the public suffix list (a package). A mail with several author domains passes when
each of them does, and meets the strictest of their policies (6.6.1); one with two From fields can't be judged and is
treated as one that fails.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
from collections.abc import Sequence

from publicsuffixlist import PublicSuffixList

from mta.authentication.outcome import Outcome
from mta.authentication.resolver import Answer, Look, Status
from mta.authentication.tags import parse_tags

AUTHORS_MAX = 5
"""Author domains that are looked up; more are as good as a forgery."""


class Policy(enum.StrEnum):
    """What a domain asks receivers to do with mail that fails; in order of strictness."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"


ORDER = list(Policy)


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """A published policy (6.3). `domain` is where it was found."""

    domain: str
    policy: Policy
    subdomains: Policy
    percent: int = 100
    strict_spf: bool = False
    strict_dkim: bool = False
    report_to: tuple[str, ...] = ()

    def policy_for(self, author: str) -> Policy:
        """What it asks for mail of `author`."""
        return self.policy if author == self.domain else self.subdomains


@dataclasses.dataclass(frozen=True, slots=True)
class Identifiers:
    """The domains that were proven; `unknown` are those that DNS gave no answer for."""

    spf: str = ""
    dkim: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class DmarcResult:
    """`policy` is what the failing domain asks for, NONE when nothing failed. `record` is None without one.

    TEMPERROR with a policy: the proof that would have saved the mail could not be looked up; later it may.
    """

    outcome: Outcome
    domain: str = ""
    policy: Policy = Policy.NONE
    record: Record | None = None
    spf_aligned: bool = False
    dkim_aligned: bool = False
    reason: str = ""


@functools.lru_cache(maxsize=8_192)
def organisational_domain(domain: str) -> str:
    """The name that somebody registered (3.2): one label more than the public suffix."""
    return _suffixes().privatesuffix(domain) or domain


@functools.cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def find_records(look: Look, authors: Sequence[str]) -> dict[str, Record | Outcome]:
    """The record that holds for each author domain, or NONE, PERMERROR, TEMPERROR."""
    return {author: find_record(look, author) for author in authors[:AUTHORS_MAX]}


def find_record(look: Look, author: str) -> Record | Outcome:
    """The author domain's own record, else the one of its organisational domain (6.6.3)."""
    found = _record_at(look, author)
    organisation = organisational_domain(author)
    if found is not Outcome.NONE or organisation == author:
        return found
    return _record_at(look, organisation)


def _record_at(look: Look, domain: str) -> Record | Outcome:
    answer = look(f"_dmarc.{domain}", "TXT")
    if answer.status is Status.FAILED:
        return Outcome.TEMPERROR
    records = _policies(answer)
    if len(records) != 1:
        return Outcome.NONE  # 6.6.3: several are as none
    return parse_record(domain, records[0])


def _policies(answer: Answer) -> list[bytes]:
    return [record for record in answer.records if record.replace(b" ", b"").startswith(b"v=DMARC1")]


@functools.lru_cache(maxsize=4_096)
def parse_record(domain: str, record: bytes) -> Record | Outcome:
    """Read a record (6.3, 6.4); what can't be read but asks for reports means p=none (6.6.3)."""
    tags = parse_tags(record)
    if tags is None or tags.get("v") != "DMARC1":
        return Outcome.PERMERROR
    report_to = tuple(uri.strip() for uri in tags.get("rua", "").split(",") if uri.strip())
    policy = _policy(tags.get("p", ""))
    if policy is None:
        if not report_to:
            return Outcome.PERMERROR
        policy = Policy.NONE
    percent = tags.get("pct", "100")
    return Record(
        domain=domain,
        policy=policy,
        subdomains=_policy(tags.get("sp", "")) or policy,
        percent=min(int(percent), 100) if percent.isascii() and percent.isdigit() and len(percent) < 5 else 100,
        strict_spf=tags.get("aspf", "").lower() == "s",
        strict_dkim=tags.get("adkim", "").lower() == "s",
        report_to=report_to,
    )


def _policy(text: str) -> Policy | None:
    return Policy(text.lower()) if text.lower() in ORDER else None


def evaluate(records: dict[str, Record | Outcome], proven: Identifiers, *, chance: float) -> DmarcResult:
    """The verdict on a mail of these author domains; `chance` in [0, 1) decides on pct= (6.6.4)."""
    results = [_evaluate(author, record, proven, chance) for author, record in records.items()]
    if not results:
        return DmarcResult(Outcome.PERMERROR, reason="no author domain")
    return max(results, key=_severity) if len(results) > 1 else results[0]


def _severity(result: DmarcResult) -> tuple[int, int]:
    order = [Outcome.PASS, Outcome.NONE, Outcome.PERMERROR, Outcome.TEMPERROR, Outcome.FAIL]
    return order.index(result.outcome), ORDER.index(result.policy)


def _evaluate(author: str, record: Record | Outcome, proven: Identifiers, chance: float) -> DmarcResult:
    if not isinstance(record, Record):
        return DmarcResult(record, author)
    by_spf = is_aligned(author, proven.spf, strict=record.strict_spf)
    by_dkim = any(is_aligned(author, domain, strict=record.strict_dkim) for domain in proven.dkim)
    if by_spf or by_dkim:
        return DmarcResult(Outcome.PASS, author, Policy.NONE, record, by_spf, by_dkim)
    policy = record.policy_for(author)
    if policy is not Policy.NONE and chance * 100 >= record.percent:
        policy = ORDER[ORDER.index(policy) - 1]  # 6.6.4: the next milder one for the rest
    if any(is_aligned(author, domain, strict=False) for domain in proven.unknown):
        return DmarcResult(Outcome.TEMPERROR, author, policy, record, reason="DNS did not answer")
    return DmarcResult(Outcome.FAIL, author, policy, record, reason=_why(proven))


def is_aligned(author: str, proven: str, *, strict: bool) -> bool:
    """Whether a proven domain speaks for the author's (3.1)."""
    if not proven:
        return False
    if strict or author == proven:
        return author == proven
    return organisational_domain(author) == organisational_domain(proven)


def _why(proven: Identifiers) -> str:
    others = [*filter(None, [proven.spf]), *proven.dkim]
    return f"proven for {others[0]} only" if others else "neither SPF nor DKIM passed"
