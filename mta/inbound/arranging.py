"""What recipients have ruled about a mail, carried out: where it goes in each mailbox, and what else becomes of it.

Everything is read, decided and made ready before the writer's transaction; what has to be written there besides the
mail itself is in `answers` and `forwards` (`mta.services.effects` writes them), and stands or falls with it. Nothing here
is asked about mail to people without rules.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from accounts.rows import AccountRow
from mailstore.models import Role
from mailstore.services.deliver import Placement
from mta.inbound.answering import Answer, answer_for
from mta.inbound.coming import Coming
from mta.inbound.facts import Facts
from mta.inbound.filing import Filed, rejected
from mta.inbound.forwarding import Forward, forward_for, onward
from mta.inbound.monitoring import Way, copies_for
from mta.inbound.recipients import Target, facts_by_account, merge_accounts
from mta.rules.deciding import Decision, decide
from mta.rules.kinds import MONITOR
from mta.rules.looked import Looked
from mta.rules.reading import Rules, existing_folders, read_rules

NOT_FOR_RULES = frozenset({Role.JUNK, Role.TRASH})
"""Where a mail may have been put already; filters, replies and forwarding are for the others."""


@dataclasses.dataclass(frozen=True, slots=True)
class Placed:
    """One account that is reached, the address that reached it ('' for its own), and where its mail goes so far."""

    account: AccountRow
    matched: str
    placement: Placement
    facts: Facts


@dataclasses.dataclass(slots=True)
class Arranged:
    """`notes`: by account, what the log says besides."""

    placements: list[Placement] = dataclasses.field(default_factory=list)
    held: list[Filed] = dataclasses.field(default_factory=list)
    """What goes into quarantine."""
    answers: list[Answer] = dataclasses.field(default_factory=list)
    forwards: list[Forward] = dataclasses.field(default_factory=list)
    notes: dict[int, dict[str, object]] = dataclasses.field(default_factory=dict)

    @property
    def has_effects(self) -> bool:
        """Whether anything is to be written besides the mail."""
        return bool(self.answers or self.forwards)


def kept_as_filed(placed: Iterable[Placed]) -> Arranged:
    """Where nobody has ruled anything."""
    return Arranged([each.placement for each in placed])


def arrange(coming: Coming, placed: Iterable[Placed]) -> Arranged:
    """Carry out the rules of all these, and of those that they forward to inside the company. A few queries, and CPU
    bounded by the limits of `mta.rules`."""
    header_length = coming.scanned.header_length - coming.trace_length
    looked = Looked(coming.received, coming.scanned, header_length, sender=coming.sender)
    batch = list(placed)
    first = frozenset(each.account.id for each in batch)
    work = _Work(coming, looked, Arranged(), set(first), first)
    while batch:
        batch = work.take(batch)
    return work.arranged


@dataclasses.dataclass(slots=True)
class _Work:
    coming: Coming
    looked: Looked
    arranged: Arranged
    reached: set[int] = dataclasses.field(default_factory=set)
    """A mail that is forwarded in a circle comes to nobody twice."""
    first: frozenset[int] = frozenset()
    """Accounts that it came to, and not by another one's forwarding."""

    def take(self, batch: Sequence[Placed]) -> list[Placed]:
        """Arrange some mailboxes; the mailboxes that they forward to."""
        asked = [each for each in batch if each.facts.ruled and each.placement.role not in NOT_FOR_RULES]
        rules = read_rules({each.account.id: each.facts.ruled for each in asked})
        decisions = {each.account.id: self._decide(each, rules) for each in asked}
        folders = existing_folders([each.folder_id for each in decisions.values() if each.folder_id is not None])
        following: list[Target] = []
        is_local = self.coming.is_local
        way = Way(from_inside=is_local, from_outside=not is_local)
        for each in batch:
            if MONITOR in each.facts.ruled:
                self.arranged.placements += copies_for(each.account, way, self.looked)
            decision = decisions.get(each.account.id)
            if decision is None:
                self.arranged.placements.append(each.placement)
                continue
            self._note(each.account.id, decision, folders)
            if decision.is_rejected:
                self._keep(rejected(each.placement, each.facts))
            elif self._pass_on(each, decision, rules, following):
                self.arranged.placements.append(decided_place(each.placement, decision))
        return self._next(following)

    def _decide(self, each: Placed, rules: Rules) -> Decision:
        filters = rules.filters.get(each.account.id)
        if not filters:
            return Decision()
        reached = (each.account.address, each.matched) if each.matched else (each.account.address,)
        if self.coming.is_released and each.account.id in self.first:
            filters = [rule for rule in filters if not rule.rejects]
        return decide(filters, self.looked.for_recipient(reached))

    def _note(self, account_id: int, decision: Decision, folders: set[tuple[int, int]]) -> None:
        if not decision.names:
            return
        note: dict[str, object] = {"filters": decision.names}
        if decision.folder_id is not None and (decision.folder_id, account_id) not in folders:
            decision.folder_id, note["folder_gone"] = None, True
        self.arranged.notes[account_id] = note

    def _pass_on(self, each: Placed, decision: Decision, rules: Rules, following: list[Target]) -> bool:
        """Answer and forward; whether the mail is kept."""
        account_id = each.account.id
        if reply := rules.replies.get(account_id):
            answer = answer_for(reply, each.account, self.looked, self.coming)
            self.arranged.answers += [answer] if answer else []
        wish = rules.forwards.get(account_id)
        wanted = [*([wish.target.address] if wish else []), *decision.forwards]
        way = onward(each.account, wanted, self.looked, self.coming, reached=self.reached)
        following += way.targets
        is_kept = not way.leads_on or wish is None or wish.keeps_copy
        if way.externals:
            self.arranged.forwards.append(forward_for(each.account, way, self.coming, is_kept=is_kept))
        if way.leads_on:
            self.arranged.notes.setdefault(account_id, {})["forwarded"] = way.addresses
        return is_kept

    def _keep(self, one: Filed) -> None:
        if one.held:
            self.arranged.held.append(one)
        else:
            self.arranged.placements.append(one.placement)

    def _next(self, targets: Sequence[Target]) -> list[Placed]:
        fresh, known = [], facts_by_account(targets)
        for account, matched in merge_accounts(targets).values():
            if account.id in self.reached:
                continue
            self.reached.add(account.id)
            one = self.coming.file(account, matched, known[account.id])
            if one.held:
                self.arranged.held.append(one)
            else:
                fresh.append(Placed(account, matched, one.placement, known[account.id]))
        return fresh


def decided_place(placement: Placement, decision: Decision) -> Placement:
    """The placement as the filters want it."""
    return dataclasses.replace(
        placement,
        folder_id=decision.folder_id if decision.is_placed else placement.folder_id,
        role=decision.role if decision.role is not None else placement.role,
        flags=placement.flags | decision.flags,
        labels=tuple(decision.labels),
    )
