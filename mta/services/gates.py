"""What holds a mail back before it leaves its author: the undo time, then somebody's approval, then the schedule.

A submission stands before one gate at a time, with all its deliveries. `next_gate` decides, `enter` writes; whoever
opens a gate (the clock, its author) asks for the next one. Behind the last gate it is handed over.
"""

from __future__ import annotations

import dataclasses

from core.access import system_access
from core.jobs import wake_on_commit
from mailstore.services.drafts import hide_snapshot
from mta.approval.asking import ask
from mta.approval.matching import Facts, rule_for
from mta.models import ApprovalRule, Delivery, Submission

State = Delivery.State

MAX_COUNTDOWN_S = 600
"""A broker keeps longer waits badly; the sweep finds those."""


@dataclasses.dataclass(frozen=True, slots=True)
class Gate:
    """`until_us` is when the clock opens it; 0: somebody does, as `rule` says."""

    state: str
    until_us: int
    rule: ApprovalRule | None = None


def next_gate(submission: Submission, *, passed: str | None, facts: Facts | None, now_us: int) -> Gate | None:
    """The gate after `passed` (None: after none), or None when nothing holds it any more. `facts` are for the rules of
    approval; None for mail that none of them speaks of."""
    if passed is None and submission.release_us > now_us:
        return Gate(State.HELD, submission.release_us)
    if passed in {None, State.HELD} and facts is not None:
        rule = rule_for(facts)
        if rule is not None:
            return Gate(State.APPROVAL, 0, rule)
    if passed != State.SCHEDULED and submission.schedule_us > now_us:
        return Gate(State.SCHEDULED, submission.schedule_us)
    return None


def enter(submission: Submission, gate: Gate, facts: Facts | None, now_us: int) -> None:
    """In the caller's transaction, for a submission whose deliveries have the gate's state: its draft leaves 草稿箱
    where it would wait for long, somebody is asked, and the clock is set."""
    if gate.rule is not None and facts is not None:
        ask(submission, gate.rule, list(facts.recipients), len(facts.raw), now_us)
    if gate.state != State.HELD and submission.draft_id:
        hide_snapshot(system_access(submission.mailbox_id), submission.draft_id)
    left_s = (gate.until_us - now_us) / 1_000_000
    if gate.until_us and left_s <= MAX_COUNTDOWN_S:
        wake_on_commit("mta.send_due", countdown_s=max(0.0, left_s))


def advance(
    submission: Submission, rows: list[Delivery], gate: Gate, now_us: int, *, facts: Facts | None = None
) -> None:
    """Move the locked deliveries of a submission to `gate`, in the caller's transaction."""
    for row in rows:
        row.state, row.next_attempt_us, row.updated_us = gate.state, gate.until_us, now_us
    Delivery.objects.bulk_update(rows, ["state", "next_attempt_us", "updated_us"])
    enter(submission, gate, facts, now_us)
