"""Whom an envelope recipient means: accounts here, members elsewhere, or why nobody.

`find_target` asks the database (call it on a database thread); `RecentTargets` keeps answers for about a second, so
that a flood to one address costs one look-up a second and a change is obeyed at once for people.
"""

from __future__ import annotations

import dataclasses
import enum
import time
from collections.abc import Iterable, Mapping

from django.db.models import Q

from accounts.domain_names import domain_named
from accounts.models import Account
from accounts.rows import AccountRow, account_row
from accounts.selectors import expand_group, is_local_domain, local_domains, resolve
from mta.inbound.facts import Facts, facts_of
from mta.models import Submission
from mta.returns import FORWARDED, INDIVIDUAL
from mta.rights import is_outside
from mta.senders import Wish

KEEP_S = 1.0
KEEP_MAX = 10_000


class Refusal(enum.Enum):
    """Why an address gets nothing."""

    UNKNOWN = "unknown"
    SUSPENDED = "suspended"
    FULL = "full"
    POSTING = "posting"
    ELSEWHERE = "elsewhere"
    """Not a domain of ours."""
    INSIDE = "inside"
    """The recipient takes mail of his own company alone."""
    SUPPRESSED = "suppressed"
    """Elsewhere, and its server has said that there is no such mailbox."""
    BLOCKED = "blocked"
    """The recipient or his company has this sender on the black list."""


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """Where one recipient leads. `matched` is the local address that was meant, `domain_id` its domain.

    `full` are members of a group whose mailbox has no room: the others still get the mail. `facts` are those of all
    `accounts`.
    """

    matched: str
    domain_id: int
    accounts: tuple[AccountRow, ...] = ()
    externals: tuple[str, ...] = ()
    full: tuple[AccountRow, ...] = ()
    is_group: bool = False
    facts: Mapping[int, Facts] = dataclasses.field(default_factory=dict)
    held_group_id: int = 0
    """The list whose approver must agree first (`mta.services.moderation`); then nobody else is named here."""
    delivery_id: int = 0
    """The delivery whose envelope sender this was (`mta.returns`)."""

    def blocks(self, sender: str) -> bool:
        """Whether the one account meant wants nothing from this envelope sender; a list's members are asked later."""
        if self.is_group:
            return False
        return any(each.lists and each.lists.wish_about(sender) == Wish.BLOCK for each in self.facts.values())


def find_target(address: str, *, sender: str, proven: bool = True) -> Target | Refusal:
    """Resolve `address` for mail from `sender` (empty: the null sender). Two indexed queries, three with a
    catch-all.

    A sender who has not `proven` himself is not believed to be one of ours (colleagues submit with sign-in), so he
    can't write to a list of colleagues; an outside member has no other way to write to his list, and is believed.
    `approved`: the list's approver has agreed.
    """
    if address == "postmaster":
        address = f"postmaster@{min(local_domains(), default='')}"  # RFC 5321 4.5.1: it has no domain of its own
    if not is_local_domain(address.rpartition("@")[2]):
        return Refusal.ELSEWHERE
    resolved = resolve(address)
    if resolved is None or resolved.kind == "catch_all":
        bounced = _bounce_target(address, sender)
        if bounced is not None:
            return bounced
    if resolved is None:
        return Refusal.UNKNOWN
    if resolved.group_id is not None:
        believed = sender if proven or not is_local_domain(sender.rpartition("@")[2]) else ""
        target = _group_target(resolved.group_id, resolved.address, believed)
        return _without_insiders(target, sender, proven=proven)
    account = resolved.account
    assert account is not None
    if not account.is_active:
        return Refusal.SUSPENDED
    facts = facts_of([account])
    if _is_full(account, facts):
        return Refusal.FULL
    if facts[account.id].inside_only and _is_outsider(sender, account.domain_id, proven=proven):
        return Refusal.INSIDE
    matched = resolved.address if resolved.via_alias else ""
    return Target(matched, account.domain_id, (account,), facts=facts)


def approved_target(group_id: int, address: str, *, sender: str) -> Target | Refusal:
    """The members of a list whose approver has agreed, whatever its `address` leads to by now."""
    return _without_insiders(_group_target(group_id, address, sender, approved=True), sender, proven=True)


def _bounce_target(address: str, sender: str) -> Target | Refusal | None:
    """Who forwarded what comes back now, or wrote it to many: a report, to him alone and by no rule, which might forward
    it again."""
    delivery_id = INDIVIDUAL.number_of(address, time.time())
    account_id = FORWARDED.number_of(address, time.time()) if delivery_id is None else _author_of(delivery_id)
    if account_id is None:
        return None if delivery_id is None else Refusal.UNKNOWN
    account = Account.objects.filter(pk=account_id, status=Account.Status.ACTIVE).select_related("domain").first()
    # Automatic replies to bulk mail come to its envelope sender too, and have senders (RFC 3834 4).
    if account is None or (sender and delivery_id is None):
        return Refusal.UNKNOWN
    row = account_row(account)
    facts = {each: dataclasses.replace(known, ruled=frozenset()) for each, known in facts_of([row]).items()}
    if _is_full(row, facts):
        return Refusal.FULL
    return Target("", row.domain_id, (row,), facts=facts, delivery_id=delivery_id or 0)


def _author_of(delivery_id: int) -> int | None:
    rows = Submission.objects.filter(Q(is_individual=True) | Q(is_verp=True), deliveries=delivery_id)
    return rows.values_list("mailbox_id", flat=True).first()


def _is_outsider(sender: str, domain_id: int, *, proven: bool) -> bool:
    """Reports (the null sender) come from anywhere; who only says that he is one of us is none of us."""
    return bool(sender) and (not proven or is_outside(domain_id, sender))


def _without_insiders(target: Target | Refusal, sender: str, *, proven: bool) -> Target | Refusal:
    """Members of a list who take no mail from outside don't get it; the list takes it all the same."""
    if not isinstance(target, Target) or not any(each.inside_only for each in target.facts.values()):
        return target
    kept = [
        each
        for each in target.accounts
        if not (target.facts[each.id].inside_only and _is_outsider(sender, each.domain_id, proven=proven))
    ]
    return dataclasses.replace(target, accounts=tuple(kept))


def _is_full(account: AccountRow, facts: Mapping[int, Facts]) -> bool:
    """Whether the mailbox has used all its space."""
    return facts[account.id].used_bytes >= account.quota_bytes


def _group_target(group_id: int, address: str, sender: str, *, approved: bool = False) -> Target | Refusal:
    expansion = expand_group(group_id, sender=sender)
    if not expansion.allowed and not approved:
        return Refusal.POSTING
    home = domain_named(address.rpartition("@")[2])
    domain_id = home.id if home else 0
    if expansion.is_held and not approved:
        return Target(address, domain_id, is_group=True, held_group_id=group_id)
    members = [account for account in expansion.accounts if account.is_active]
    facts = facts_of(members)
    full = tuple(account for account in members if _is_full(account, facts))
    open_members = tuple(account for account in members if account not in full)
    externals = tuple(expansion.externals)
    return Target(address, domain_id, open_members, externals, full, is_group=True, facts=facts)


class RecentTargets:
    """Answers of the last second, by address and sender."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[float, Target | Refusal]] = {}

    def get(self, address: str, sender: str) -> Target | Refusal | None:
        """A recent answer, or None."""
        found = self._kept.get((address, sender)) or self._kept.get((address, ""))
        if found is None or found[0] < time.monotonic():
            return None
        return found[1]

    def keep(self, address: str, sender: str, target: Target | Refusal) -> None:
        """Remember an answer; only that of a group, or of who hears from inside alone, depends on the sender."""
        if len(self._kept) >= KEEP_MAX:
            self._kept.clear()
        depends = target in (Refusal.POSTING, Refusal.INSIDE) or (
            isinstance(target, Target) and (target.is_group or any(each.inside_only for each in target.facts.values()))
        )
        self._kept[(address, sender or "<>") if depends else (address, "")] = (time.monotonic() + KEEP_S, target)


def facts_by_account(targets: Iterable[Target]) -> dict[int, Facts]:
    """Of every account that is reached."""
    return {account_id: facts for target in targets for account_id, facts in target.facts.items()}


def merge_accounts(targets: Iterable[Target]) -> dict[int, tuple[AccountRow, str]]:
    """Every account that is reached, once, with the address that reached it first ('' for its own)."""
    reached: dict[int, tuple[AccountRow, str]] = {}
    for target in targets:
        for account in target.accounts:
            reached.setdefault(account.id, (account, target.matched))
    return reached
