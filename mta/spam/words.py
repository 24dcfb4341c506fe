"""Bayes: which words stood in spam and which in wanted mail (Robinson's combination by chi-square)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping

from mailstore.search.words import words
from mta.authentication.dmarc import organisational_domain
from mta.spam.contents import Contents
from mta.spam.finding import Finding, Rule
from mta.spam.links import host_of

TOKENS_MAX = 100
"""Different tokens of a mail that are looked up: a mail longer than a page is known by its first page."""
TEXT_MAX_CHARS = 800
TOKEN_MAX_CHARS = 48
USED_MAX = 30
"""The most telling of them that count."""
LEARNT_MIN = 5
"""Mails of each kind without which nothing is said."""
STRENGTH, UNKNOWN = 0.45, 0.5
MINIMUM = 0.1
"""How far from undecided a token must be to count."""

# Probability to tenths of a point, from clear spam down.
POINTS = ((0.99, 40), (0.95, 28), (0.85, 15), (0.15, 0), (0.05, -5), (0.01, -12), (-1.0, -20))


@dataclasses.dataclass(frozen=True, slots=True)
class Learnt:
    """How many mails were learnt."""

    spam: int = 0
    ham: int = 0

    @property
    def is_enough(self) -> bool:
        """Whether its words say anything."""
        return self.spam >= LEARNT_MIN and self.ham >= LEARNT_MIN


NOTHING_LEARNT = Learnt()


def tokens_of(contents: Contents, sender: str) -> list[str]:
    """What a mail is known by: words of its subject and text, who wrote it, where it links to, what is attached."""
    domain = sender.rpartition("@")[2].lower()
    found = [f"f_{sender.lower()}", f"d_{domain}"] if domain else []
    found += [f"s_{token}" for token in words(contents.subject[:200])[:40]]
    hosts = {organisational_domain(host) for link in contents.links[:30] if (host := host_of(link.target))}
    found += sorted(f"u_{host}" for host in hosts)
    found += [f"x_{file.name.rpartition('.')[2].lower()}" for file in contents.files[:10] if "." in file.name]
    found += [token for token in words(contents.text[:TEXT_MAX_CHARS]) if len(token) > 1]
    return [token[:TOKEN_MAX_CHARS] for token in dict.fromkeys(found)][:TOKENS_MAX]


def probability(tokens: Iterable[str], counts: Mapping[str, tuple[int, int]], learnt: Learnt) -> float | None:
    """How likely this is spam, by in how many (spam, ham) mails each token stood; None when nothing is known."""
    if not learnt.is_enough:
        return None
    found = [_of_token(*counts[token], learnt) for token in tokens if token in counts]
    telling = sorted((each for each in found if abs(each - 0.5) >= MINIMUM), key=lambda each: -abs(each - 0.5))[
        :USED_MAX
    ]
    if not telling:
        return None
    spam = 1.0 - _chi(-2.0 * sum(math.log(1.0 - each) for each in telling), len(telling))
    ham = 1.0 - _chi(-2.0 * sum(math.log(each) for each in telling), len(telling))
    return (1.0 + spam - ham) / 2.0


def judge_words(chance: float | None) -> Finding | None:
    """What a probability is worth."""
    if chance is None:
        return None
    tenths = next(points for least, points in POINTS if chance >= least)
    if not tenths:
        return None
    return Finding(Rule.WORDS_SPAM if tenths > 0 else Rule.WORDS_HAM, tenths, (f"{round(chance * 100)}",))


def _of_token(spam: int, ham: int, learnt: Learnt) -> float:
    in_spam, in_ham = min(1.0, spam / learnt.spam), min(1.0, ham / learnt.ham)
    if not in_spam + in_ham:
        return UNKNOWN
    count = spam + ham
    raw = in_spam / (in_spam + in_ham)
    return min(0.9999, max(0.0001, (STRENGTH * UNKNOWN + count * raw) / (STRENGTH + count)))


def _chi(value: float, pairs: int) -> float:
    """The chance of a chi-square of 2 × `pairs` degrees of freedom to be `value` or more."""
    half = value / 2.0
    term = total = math.exp(-half)
    for each in range(1, pairs):
        term *= half / each
        total += term
    return min(1.0, total)
