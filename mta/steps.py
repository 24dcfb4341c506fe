"""What upper layers add to a mail's way, as typed steps in lists; no signals.

`before_store`: per recipient, pure, no I/O, bounded: may change where and how a mail is placed. A failing step is
logged and skipped; a failing policy step defers the mail (451). `after_outcome`: told inside the transaction that writes a
delivery's final state. A step registers in its app's `AppConfig.ready`; all processes load all apps.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence

from accounts.rows import AccountRow
from core.errors import ErrorKind, MailError
from mailstore.services.deliver import Placement
from mta.inbound.trace import Arrival

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Mail:
    """What a step may look at: envelope sender, how it came, the header block."""

    sender: str
    arrival: Arrival
    header: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class BeforeStore:
    """`decide` returns the placement to use, usually the one it got."""

    name: str
    decide: Callable[[Mail, AccountRow, Placement], Placement]
    is_policy: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one delivery: `state` is a `Delivery.State`."""

    submission_id: int
    recipient: str
    state: str
    code: str
    text: str
    domain_id: int = 0
    """The submission's, when whoever tells has it at hand."""


@dataclasses.dataclass(frozen=True, slots=True)
class AfterOutcome:
    """`tell` may write rows; it runs in the transaction of the state change. `tell_all` is told instead where many
    deliveries end at once, each with its `domain_id`: a step that asks the database needs it."""

    name: str
    tell: Callable[[Outcome], None]
    tell_all: Callable[[Sequence[Outcome]], None] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Recalled:
    """A mail that was taken out of `mailbox` again; `sha256` is of its stored bytes, the trace included."""

    submission_id: int
    mailbox: int
    sha256: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class AfterRecall:
    """`tell` may write rows; it runs in the transaction that removes the copy. What monitors have of it stays and is
    marked by such a step."""

    name: str
    tell: Callable[[Recalled], None]


BEFORE_STORE: dict[str, BeforeStore] = {}
AFTER_OUTCOME: dict[str, AfterOutcome] = {}
AFTER_RECALL: dict[str, AfterRecall] = {}


def register_before_store(step: BeforeStore) -> None:
    """Add a step; the same name replaces."""
    BEFORE_STORE[step.name] = step


def register_after_outcome(step: AfterOutcome) -> None:
    """Add a step; the same name replaces."""
    AFTER_OUTCOME[step.name] = step


def place(mail: Mail, account: AccountRow, placement: Placement) -> Placement:
    """Ask every step in order; raises UNAVAILABLE when a policy step fails."""
    for step in BEFORE_STORE.values():
        try:
            placement = step.decide(mail, account, placement)
        except Exception as error:
            log.exception("step failed", extra={"step": step.name})
            if step.is_policy:
                raise MailError(ErrorKind.UNAVAILABLE, step=step.name) from error
    return placement


def tell_outcome(outcome: Outcome) -> None:
    """Tell every step; one that fails is logged and skipped."""
    for step in AFTER_OUTCOME.values():
        try:
            step.tell(outcome)
        except Exception:
            log.exception("step failed", extra={"step": step.name})


def register_after_recall(step: AfterRecall) -> None:
    """Add a step; the same name replaces."""
    AFTER_RECALL[step.name] = step


def tell_recalled(recalled: Recalled) -> None:
    """Tell every step. One that fails fails the removal with it: a monitor's copy must not look as if nothing happened."""
    for step in AFTER_RECALL.values():
        step.tell(recalled)


def tell_outcomes(outcomes: Sequence[Outcome]) -> None:
    """`tell_outcome` for many."""
    for step in AFTER_OUTCOME.values():
        try:
            if step.tell_all is not None:
                step.tell_all(outcomes)
            else:
                for outcome in outcomes:
                    step.tell(outcome)
        except Exception:
            log.exception("step failed", extra={"step": step.name})
