"""All rules together: what holds for every reader of a mail, then what each reader's company and he himself add."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from mailstore.message import Scanned
from mta.authentication.letter import Letter
from mta.authentication.results import Judgement
from mta.spam.contents import Contents
from mta.spam.files import judge_files
from mta.spam.finding import Finding, Judged, Rule
from mta.spam.header import judge_header
from mta.spam.links import judge_links
from mta.spam.senders import Acquaintance, Author, is_proven, judge_author, judge_origin
from mta.spam.words import NOTHING_LEARNT, Learnt, judge_words, probability


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """The mail that is judged. `tokens` are empty when nobody has learnt enough to ask for them."""

    judgement: Judgement
    letter: Letter
    scanned: Scanned
    contents: Contents
    author: Author
    at_us: int
    tokens: Sequence[str] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Experience:
    """What was learnt in one domain, or by one account of it: how much, and about this mail's tokens."""

    learnt: Learnt = NOTHING_LEARNT
    counts: Mapping[str, tuple[int, int]] = dataclasses.field(default_factory=dict)


def judge_files_of(subject: Subject) -> tuple[Finding, ...]:
    """Attachments: they are looked at whoever else judges the mail."""
    return tuple(judge_files(subject.contents.files))


def judge_common(subject: Subject, *, ours: frozenset[str], only_proof: bool = False) -> tuple[Finding, ...]:
    """Origin, header, links: the same for all readers. `only_proof`: whether the sender is proven, without points."""
    if only_proof:
        return (Finding(Rule.PROVEN, 0, (subject.author.domain,)),) if is_proven(subject.judgement) else ()
    found = [
        *judge_origin(subject.judgement),
        *judge_header(subject.letter.by_name, subject.contents, sent_us=subject.scanned.sent_us, at_us=subject.at_us),
        *judge_links(subject.contents.links, sender_domain=subject.author.domain, ours=ours),
    ]
    return tuple(found)


def judge_personal(subject: Subject, about: Acquaintance, experience: Experience) -> tuple[Finding, ...]:
    """Acquaintance and words: `experience` is the reader's own where he has enough of it, else his company's."""
    found = list(judge_author(subject.author, about, proven=is_proven(subject.judgement)))
    words = judge_words(probability(subject.tokens, experience.counts, experience.learnt))
    if words is not None:
        found.append(words)
    return tuple(found)


def judged(*groups: Sequence[Finding]) -> Judged:
    """The sum, the weightiest findings first."""
    found = [finding for group in groups for finding in group]
    return Judged(tuple(sorted(found, key=lambda each: -abs(each.tenths))))
