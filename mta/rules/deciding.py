"""What an account's filters make of a mail: pure, bounded, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mailstore.models import Flag, Role
from mta.rules.glob import matches
from mta.rules.looked import Looked
from mta.rules.terms import Action, Condition, Do, How, Rule, What


@dataclass(slots=True)
class Decision:
    """Where and how the mail is kept, and what else becomes of it. The first filter that says where, counts."""

    folder_id: int | None = None
    role: Role | None = None
    flags: int = 0
    labels: list[int] = field(default_factory=list)
    forwards: list[str] = field(default_factory=list)
    is_rejected: bool = False
    names: list[str] = field(default_factory=list)
    """Of the filters that applied, in order."""

    @property
    def is_placed(self) -> bool:
        """Whether a filter has said where."""
        return self.folder_id is not None or self.role is not None


def decide(rules: Sequence[Rule], looked: Looked) -> Decision:
    """Ask the filters in order, until one that applies ends it."""
    decision = Decision()
    for rule in rules:
        if applies(rule, looked):
            decision.names.append(rule.name)
            for action in rule.actions:
                _do(decision, action)
            if rule.stops or decision.is_rejected:
                break
    return decision


def applies(rule: Rule, looked: Looked) -> bool:
    """Whether its conditions hold."""
    join = any if rule.is_any else all
    return join(holds(condition, looked) for condition in rule.conditions)


def holds(condition: Condition, looked: Looked) -> bool:
    """Whether one condition holds."""
    return _found(condition, looked) is not condition.negated


def _found(condition: Condition, looked: Looked) -> bool:
    if condition.what is What.SIZE:
        limit_bytes = int(condition.value) * 1024
        return looked.size_bytes > limit_bytes if condition.how is How.OVER else looked.size_bytes < limit_bytes
    if condition.what is What.ATTACHMENT:
        return looked.has_attachment
    return any(_compares(condition, text) for text in _texts(condition, looked))


def _texts(condition: Condition, looked: Looked) -> Sequence[str]:
    match condition.what:
        case What.SUBJECT:
            return [looked.subject]
        case What.SENDER:
            return looked.senders
        case What.RECIPIENT:
            return looked.recipients
        case What.TEXT:
            return [looked.text]
        case What.FILENAME:
            return looked.filenames
        case _:
            return looked.values_of(condition.header)


def _compares(condition: Condition, text: str) -> bool:
    match condition.how:
        case How.CONTAINS:
            return condition.value in text
        case How.IS:
            return condition.value == text
        case How.MATCHES:
            return matches(condition.value, text)
        case _:
            return True


def _do(decision: Decision, action: Action) -> None:
    match action.do:
        case Do.MOVE if not decision.is_placed:
            decision.folder_id = int(action.target)
        case Do.DELETE if not decision.is_placed:
            decision.role = Role.TRASH
        case Do.REJECT:
            decision.folder_id, decision.role, decision.is_rejected = None, None, True
        case Do.STAR:
            decision.flags |= int(Flag.FLAGGED)
        case Do.READ:
            decision.flags |= int(Flag.SEEN)
        case Do.LABEL:
            decision.labels.append(int(action.target))
        case Do.FORWARD:
            decision.forwards.append(str(action.target))
        case _:
            pass
