"""What recipients have ruled about a mail, carried out: where it goes in each mailbox, and what else becomes of it.

Everything is read and decided before the writer's transaction; what has to be written besides the mail itself is in
`also`, and stands or falls with it. Nothing here is asked about mail to people without rules.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping

from accounts.rows import AccountRow
from mailstore.message import Scanned
from mailstore.models import Role
from mailstore.services.deliver import Placement
from mta.inbound.filing import Verdict
from mta.inbound.recipients import Target
from mta.inbound.standing import FILTER
from mta.rules.deciding import Decision, decide
from mta.rules.looked import Looked
from mta.rules.reading import existing_folders, rules_of

NOT_FOR_RULES = frozenset({Role.JUNK, Role.TRASH})
"""Where a mail may have been put already; filters are for the others."""


@dataclasses.dataclass(frozen=True, slots=True)
class Coming:
    """A mail that is about to be stored: its bytes as they came, what was scanned of them, the envelope's sender."""

    received: bytes
    scanned: Scanned
    """Of the trace and `received` together."""
    sender: str
    trace_length: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Placed:
    """One account that is reached, the address that reached it ('' for its own), and where its mail goes so far."""

    account: AccountRow
    matched: str
    placement: Placement


@dataclasses.dataclass(slots=True)
class Arranged:
    """`notes`: by account, what the log says besides."""

    placements: list[Placement] = dataclasses.field(default_factory=list)
    also: list[Callable[[], None]] = dataclasses.field(default_factory=list)
    notes: dict[int, dict[str, object]] = dataclasses.field(default_factory=dict)


def ruled_in(targets: Iterable[Target]) -> dict[int, frozenset[str]]:
    """By account, the kinds of rules of all that are reached."""
    return {account_id: kinds for target in targets for account_id, kinds in target.ruled.items()}


def arrange(coming: Coming, placed: Iterable[Placed], ruled: Mapping[int, frozenset[str]]) -> Arranged:
    """Carry out the rules of those in `ruled`; a few queries, and CPU bounded by the limits of `mta.rules`."""
    places = list(placed)
    arranged = Arranged()
    decisions = _decisions(coming, places, ruled)
    folders = existing_folders([each.folder_id for each in decisions.values() if each.folder_id is not None])
    for each in places:
        account_id, placement = each.account.id, each.placement
        decision = decisions.get(account_id)
        if decision is not None and decision.names:
            note: dict[str, object] = {"filters": decision.names}
            if decision.folder_id is not None and (decision.folder_id, account_id) not in folders:
                decision.folder_id, note["folder_gone"] = None, True
            placement = decided_place(placement, decision)
            arranged.notes[account_id] = note
        arranged.placements.append(placement)
    return arranged


def _decisions(coming: Coming, places: Iterable[Placed], ruled: Mapping[int, frozenset[str]]) -> dict[int, Decision]:
    asked = [each for each in places if each.placement.role not in NOT_FOR_RULES]
    filters = rules_of([each.account.id for each in asked if FILTER in ruled.get(each.account.id, ())])
    header_length = coming.scanned.header_length - coming.trace_length
    looked = Looked(coming.received, coming.scanned, header_length, sender=coming.sender)
    decisions = {}
    for each in asked:
        if rules := filters.get(each.account.id):
            reached = (each.account.address, each.matched) if each.matched else (each.account.address,)
            decisions[each.account.id] = decide(rules, looked.for_recipient(reached))
    return decisions


def decided_place(placement: Placement, decision: Decision) -> Placement:
    """The placement as the filters want it."""
    return dataclasses.replace(
        placement,
        folder_id=decision.folder_id if decision.is_placed else placement.folder_id,
        role=decision.role if decision.role is not None else placement.role,
        flags=placement.flags | decision.flags,
        labels=tuple(decision.labels),
        verdict=int(Verdict.REJECTED) if decision.is_rejected else placement.verdict,
    )
