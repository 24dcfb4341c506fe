"""Who writes: whether it is proven, whether he is known here, and whether he pretends to be somebody else."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from mta.authentication.dmarc import is_aligned, organisational_domain
from mta.authentication.outcome import Outcome
from mta.authentication.results import Judgement
from mta.spam.finding import Finding, Rule
from mta.spam.names import FREE_MAIL, looks_like


@dataclasses.dataclass(frozen=True, slots=True)
class Author:
    """Who the mail says it is from. `reply_to` is the address that answers would go to, '' for the same."""

    name: str
    address: str
    reply_to: str = ""

    @property
    def domain(self) -> str:
        """Of the address, in lower case."""
        return self.address.rpartition("@")[2].lower()


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """What became of a sender's mail in this company so far."""

    passed: int = 0
    flagged: int = 0
    reported: int = 0
    cleared: int = 0
    written: int = 0


NEW = Standing()


@dataclasses.dataclass(frozen=True, slots=True)
class Acquaintance:
    """What one reader's company, and he himself, know of the author.

    `ours` are the company's domains, `partners` domains it writes to that share a key with the author's, `colleagues`
    names of people to their addresses.
    """

    is_known: bool = False
    by_address: Standing = NEW
    by_domain: Standing = NEW
    ours: frozenset[str] = frozenset()
    partners: frozenset[str] = frozenset()
    colleagues: Mapping[str, str] = dataclasses.field(default_factory=dict)


def is_proven(judgement: Judgement) -> bool:
    """Whether the author's domain vouches for the mail; without a DMARC record, whether SPF or DKIM speak for it."""
    author = judgement.dmarc.domain
    if judgement.dmarc.outcome is not Outcome.NONE:
        return judgement.dmarc.outcome is Outcome.PASS
    passed = [each.domain for each in judgement.dkim if each.outcome is Outcome.PASS]
    if judgement.spf.outcome is Outcome.PASS:
        passed.append(judgement.spf.domain)
    return any(is_aligned(author, domain, strict=False) for domain in passed)


def judge_origin(judgement: Judgement) -> Iterator[Finding]:
    """What SPF, DKIM and DMARC are worth."""
    spf, dmarc = judgement.spf, judgement.dmarc
    if dmarc.outcome is Outcome.FAIL:
        yield Finding(Rule.FORGED, 25, (dmarc.domain,))
    elif is_proven(judgement):
        yield Finding(Rule.PROVEN, -5 if dmarc.outcome is Outcome.PASS else 0, (dmarc.domain,))
    if spf.outcome is Outcome.FAIL:
        yield Finding(Rule.SPF_FAIL, 15, (spf.domain,))
    elif spf.outcome is Outcome.SOFTFAIL:
        yield Finding(Rule.SPF_SOFTFAIL, 7, (spf.domain,))
    broken = next((each for each in judgement.dkim if each.outcome is Outcome.FAIL), None)
    signed = any(each.outcome is Outcome.PASS for each in judgement.dkim)
    if broken is not None and not signed:
        yield Finding(Rule.DKIM_BROKEN, 5, (broken.domain,))
    if spf.outcome in (Outcome.NONE, Outcome.NEUTRAL) and not judgement.dkim:
        yield Finding(Rule.UNPROVEN, 5)


def judge_author(author: Author, about: Acquaintance, *, proven: bool) -> Iterator[Finding]:
    """Whom he pretends to be, and how well he is known here."""
    if about.is_known:
        yield Finding(Rule.KNOWN, -40 if proven else -10, (author.address,))
    elif about.by_domain.written and author.domain not in FREE_MAIL:
        yield Finding(Rule.PARTNER, -15 if proven else -5, (author.domain,))
    else:
        yield from _pretences(author, about)
    if author.reply_to and not about.is_known:
        yield from _reply(author)
    yield from _standing(author, about)


def _pretences(author: Author, about: Acquaintance) -> Iterator[Finding]:
    if organisational_domain(author.domain) in about.ours:
        return
    if alike := looks_like(author.domain, about.ours):
        yield Finding(Rule.LOOKALIKE_OWN, 45, (author.domain, alike))
    elif alike := looks_like(author.domain, about.partners, ours=about.ours):
        yield Finding(Rule.LOOKALIKE_PARTNER, 40, (author.domain, alike))
    claimed = author.name.strip().strip("<>'\"").lower()
    claimed_domain = organisational_domain(claimed.rpartition("@")[2])
    if "@" in claimed and claimed_domain != organisational_domain(author.domain):
        yield Finding(Rule.ADDRESS_AS_NAME, 30 if claimed_domain in about.ours else 10, (claimed, author.address))
    elif colleague := about.colleagues.get(name_key(author.name)):
        yield Finding(Rule.COLLEAGUE_NAME, 20, (author.name, author.address, colleague))


def _reply(author: Author) -> Iterator[Finding]:
    """Answers that go to a free mailbox while the mail shows a company's address: how payments are redirected."""
    other = author.reply_to.rpartition("@")[2].lower()
    if other in FREE_MAIL and author.domain not in FREE_MAIL and author.domain:
        yield Finding(Rule.REPLY_ELSEWHERE, 15, (author.reply_to, author.address))


def _standing(author: Author, about: Acquaintance) -> Iterator[Finding]:
    """The address's own record counts before its domain's; a free mail domain has none."""
    own = _worth(about.by_address)
    tenths = own if own or author.domain in FREE_MAIL else _worth(about.by_domain) // 2
    shown = author.address if own else author.domain
    if tenths > 0:
        yield Finding(Rule.BAD_SENDER, tenths, (shown,))
    elif tenths < 0:
        yield Finding(Rule.GOOD_SENDER, tenths, (shown,))


def _worth(standing: Standing) -> int:
    """Tenths of a point. What people said counts; what judging did before counts a little, lest it proves itself right."""
    bad = 4.0 * standing.reported + 0.25 * standing.flagged
    good = 4.0 * standing.cleared + 0.5 * standing.passed
    if bad < 4.0 and good < 4.0:
        return 0
    share = (bad + 1.0) / (bad + good + 2.0)
    if share >= 0.8:
        return 35 if bad >= 12.0 else 25
    if share >= 0.5:
        return 10 if bad >= 4.0 else 0
    return -8 if share <= 0.15 else 0


def name_key(name: str) -> str:
    """A person's name as it is compared; empty for one too short to mean anybody."""
    key = "".join(name.split()).casefold()
    return key if len(key) >= 2 else ""
