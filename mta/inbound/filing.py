"""Where a mail goes in one mailbox, and why not into the inbox: what was found about it, and whom its reader lists.

Suspected mail goes to Junk, clear spam and what is dangerous into quarantine. Who gets no digest of his quarantine finds
such mail in Junk, so that nothing vanishes unseen; a virus is never delivered.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable

from mailstore.models import Role
from mailstore.services.deliver import Placement
from mta.inbound.facts import Facts
from mta.models import MailPolicy, QuarantinedMail
from mta.senders import Wish
from mta.spam.finding import NOTHING, Finding, Judged, Rule

Kind = QuarantinedMail.Kind


IGNORED = str(MailPolicy.Wish.IGNORE)
PROGRAMS = (Rule.PROGRAM, Rule.DOUBLE_EXTENSION)
DANGEROUS = frozenset((*PROGRAMS, Rule.MACROS, Rule.VIRUS))
"""What is put aside whoever sends it."""


class Verdict(enum.IntEnum):
    """`Entry.verdict`: why a mail lies where it does."""

    NONE = 0
    DMARC = 1
    """Its author's domain does not vouch for it."""
    BLOCKED = 2
    """Its reader or his company has its sender on the black list."""
    SPAM = 3
    """Its score is above a threshold."""
    FILE = 4
    """Something dangerous is attached."""
    RELEASED = 5
    """Somebody let it out of the quarantine."""
    REJECTED = 20
    """A filter of its reader's says so."""
    CAME_BACK = 21
    """In the inbox: it was to be forwarded and not kept, and the other side did not take it."""
    RECALLED = 22
    """In a monitor's folder: its author has recalled it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Filed:
    """What becomes of a mail in one mailbox: a placement, unless it is `held` in quarantine (a `QuarantinedMail.Kind`)."""

    placement: Placement
    held: str = ""

    @property
    def is_junk(self) -> bool:
        """Put aside, in whatever way."""
        return bool(self.held) or self.placement.role == Role.JUNK

    @property
    def is_unwanted(self) -> bool:
        """Put aside for what it is, and not for whom its reader lists."""
        return self.held not in ("", Kind.BLOCKED) or self.placement.verdict in (Verdict.SPAM, Verdict.FILE)


def filed(
    placement: Placement, facts: Facts, judged: Judged = NOTHING, *, unproven: bool = False, senders: Iterable[str]
) -> Filed:
    """`senders` are the envelope's and the author. The white list is of no help to a forgery, for nobody knows that the
    listed sender wrote it, nor to a virus."""
    if judged.has(Rule.VIRUS):
        return _put_aside(placement, facts, judged, Kind.VIRUS)
    kind = _dangerous(facts, judged)
    if kind == MailPolicy.Wish.QUARANTINE:
        return _put_aside(placement, facts, judged, Kind.FILE)
    wishes = _wishes(facts, senders)
    if Wish.BLOCK in wishes:
        return _put_aside(placement, facts, _with(judged, Rule.BLOCKED), Kind.BLOCKED)
    if unproven:
        return _junk(placement, judged, Verdict.DMARC)
    if kind == MailPolicy.Wish.JUNK:
        return _junk(placement, judged, Verdict.FILE)
    if Wish.SAFE in wishes:
        return Filed(_kept(placement, _with(judged, Rule.SAFE)))
    if judged.tenths >= facts.policy.quarantine_tenths:
        return _put_aside(placement, facts, judged, Kind.SPAM)
    if judged.tenths >= facts.policy.junk_tenths:
        return _junk(placement, judged, Verdict.SPAM)
    return Filed(_kept(placement, judged))


def rejected(placement: Placement, facts: Facts) -> Filed:
    """What a filter of the reader's does not want."""
    return _put_aside(placement, facts, NOTHING, Kind.REJECTED)


JUNK_INSTEAD = {
    Kind.SPAM: Verdict.SPAM,
    Kind.FILE: Verdict.FILE,
    Kind.BLOCKED: Verdict.BLOCKED,
    Kind.REJECTED: Verdict.REJECTED,
}


def _put_aside(placement: Placement, facts: Facts, judged: Judged, kind: QuarantinedMail.Kind) -> Filed:
    if facts.digest or kind not in JUNK_INSTEAD:
        return Filed(_kept(placement, judged), str(kind))
    return _junk(placement, judged, JUNK_INSTEAD[kind])


def _junk(placement: Placement, judged: Judged, verdict: Verdict) -> Filed:
    return Filed(dataclasses.replace(_kept(placement, judged), role=Role.JUNK, verdict=int(verdict)))


def _kept(placement: Placement, judged: Judged) -> Placement:
    return placement.judged(judged.encode()) if judged.findings else placement


def _wishes(facts: Facts, senders: Iterable[str]) -> set[str | None]:
    return {facts.lists.wish_about(sender) for sender in senders} if facts.lists else set()


def _dangerous(facts: Facts, judged: Judged) -> str:
    """What the policy wants for what is attached; the stricter wish when both kinds are."""
    if not judged.has(*PROGRAMS, Rule.MACROS):
        return IGNORED
    wishes = set()
    if judged.has(*PROGRAMS):
        wishes.add(facts.policy.dangerous_files)
    if judged.has(Rule.MACROS):
        wishes.add(facts.policy.macros)
    order = (MailPolicy.Wish.QUARANTINE, MailPolicy.Wish.JUNK)
    return next((str(wish) for wish in order if wish in wishes), IGNORED)


def _with(judged: Judged, rule: Rule) -> Judged:
    return Judged((Finding(rule, 0), *judged.findings))
