"""What pages show of mail that was sent: states in words, a small picture of how far it is, what a recall came to."""

from __future__ import annotations

import dataclasses
from collections import Counter

from django.utils.translation import gettext as _, ngettext

from mta.models import RecallOutcome
from mta.models.outgoing import OPEN, Delivery
from mta.selectors import DeliveryRow, Status
from mta.selectors.status import RecallRow
from webmail import scheduling
from webmail.delivery_words import reason_words, state_words, tone_of
from webmail.naming import Names
from webmail.people import Face

State = Delivery.State
Result = RecallOutcome.Result

STEPS = {
    State.QUEUED: 1,
    State.SENDING: 1,
    State.DEFERRED: 1,
    State.ACCEPTED: 2,
    State.DELIVERED: 3,
    State.BOUNCED: 1,
    State.RECALLED: 3,
    State.CANCELLED: 1,
}
"""How many of the stages (sent, the recipient's server, the recipient's mailbox) a mail has behind it."""
RESULT_TONES = {
    Result.RECALLED: "good",
    Result.STOPPED: "good",
    Result.READ: "warn",
    Result.FETCHED: "warn",
    Result.EXTERNAL: "quiet",
    Result.FAILED: "bad",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """One recipient. `steps` are the classes of the picture's stages; one who is outside has two, for nobody knows more."""

    recipient: Face
    words: str
    tone: str
    reason: str
    at: str
    steps: list[str]


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """A part of the bar: from where, how wide (of 100), what colour."""

    x: float
    width: float
    tone: str


@dataclasses.dataclass(frozen=True, slots=True)
class Called:
    """What the recall came to for one copy."""

    address: Face
    via: str
    words: str
    tone: str


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """A sent mail as pages show it. `is_moving`: something may still change by itself."""

    id: str
    subject: str
    sent_at: str
    ways: list[Way]
    more: int
    summary: str
    bar: list[Segment]
    may_recall: bool
    called: list[Called] | None
    called_summary: str
    is_moving: bool


def addresses(status: Status) -> list[str]:
    """All that `shown` shows of people."""
    return [*(row.recipient for row in status.rows), *(each.address for each in status.recalls or ())]


def shown(status: Status, names: Names) -> Shown:
    """The words and pictures of a status."""
    states = Counter(row.state for row in status.rows)
    called = [_called(each, names) for each in status.recalls or ()]
    recalled = sum(each.tone == "good" for each in called)
    return Shown(
        id=str(status.submission_id),
        subject=status.subject,
        sent_at=scheduling.shown(status.sent_us),
        ways=[way(row, names) for row in status.rows],
        more=status.total - len(status.rows),
        summary=_summary(states),
        bar=_bar(states),
        may_recall=status.may_recall,
        called=called if status.recalls is not None else None,
        called_summary=_("Recalled for %(n)d of %(total)d") % {"n": recalled, "total": len(called)},
        is_moving=status.is_recalling or any(row.state in OPEN for row in status.rows),
    )


def way(row: DeliveryRow, names: Names) -> Way:
    """One recipient's row."""
    state, tone = State(row.state), tone_of(row.state)
    reached = STEPS.get(state, 1)
    is_local = state in {State.DELIVERED, State.RECALLED} or (state == State.BOUNCED and not row.remote_host)
    stages = 3 if is_local else 2
    steps = ["done" if number < reached else "open" for number in range(stages)]
    if state == State.BOUNCED:
        steps[-1] = "bad"
    elif state in {State.CANCELLED, State.RECALLED}:
        steps[-1] = "quiet"
    elif state in OPEN:
        steps[reached] = "warn" if state == State.DEFERRED else "next"
    who = names.face(row.recipient)
    return Way(who, state_words(row.state), tone, _reason(row), scheduling.shown(row.updated_us), steps)


def _reason(row: DeliveryRow) -> str:
    if row.state == State.DEFERRED:
        return _("%(reason)s; next attempt %(at)s") % {
            "reason": reason_words(row.code),
            "at": scheduling.shown(row.next_attempt_us),
        }
    return reason_words(row.code) if row.state == State.BOUNCED else ""


def _summary(states: Counter[str]) -> str:
    """How many are where, in a line."""
    counted: Counter[str] = Counter()
    for state, count in states.items():
        counted[tone_of(state)] += count
    parts = [
        ngettext("%(n)d delivered", "%(n)d delivered", counted["good"]) % {"n": counted["good"]},
        ngettext("%(n)d under way", "%(n)d under way", counted["plain"]) % {"n": counted["plain"]},
        ngettext("%(n)d delayed", "%(n)d delayed", counted["warn"]) % {"n": counted["warn"]},
        ngettext("%(n)d returned", "%(n)d returned", counted["bad"]) % {"n": counted["bad"]},
        ngettext("%(n)d recalled or cancelled", "%(n)d recalled or cancelled", counted["quiet"])
        % {"n": counted["quiet"]},
    ]
    tones = ("good", "plain", "warn", "bad", "quiet")
    return " · ".join(part for part, tone in zip(parts, tones, strict=True) if counted[tone])


def _bar(states: Counter[str]) -> list[Segment]:
    total = sum(states.values()) or 1
    counted: Counter[str] = Counter()
    for state, count in states.items():
        counted[tone_of(state)] += count
    bar: list[Segment] = []
    at = 0.0
    for tone in ("good", "quiet", "plain", "warn", "bad"):
        width = 100 * counted[tone] / total
        if width:
            bar.append(Segment(round(at, 2), round(width, 2), tone))
        at += width
    return bar


def _called(each: RecallRow, names: Names) -> Called:
    found = Result(each.result)
    via = names.face(each.recipient).shown if each.recipient != each.address else ""
    return Called(names.face(each.address), via, str(found.label), RESULT_TONES[found])
