"""Whom an address means."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.addressing import Parts, parse
from accounts.domain_names import domain_named, is_local_domain
from accounts.models import Account, Address, Department, Group, GroupMember
from accounts.rows import AccountRow, Expansion, Resolved, account_row

MAX_GROUPS = 200
"""Groups within groups that one expansion follows."""
NAMES_AT_ONCE = 500
"""Of one query."""


def resolve(address: str) -> Resolved | None:
    """The account or group behind an address, by address, alias, domain alias, +tag or catch-all; None: unknown.

    One query, two with a catch-all. Suspended accounts are answered (look at the row's status), erased ones and
    those of suspended domains are not.
    """
    parts = parse(address)
    domain = domain_named(parts.domain) if parts else None
    if parts is None or domain is None or not domain.is_active:
        return None
    wanted = Parts(parts.local_part, domain.name)
    row = _row_of(wanted)
    if row is not None:
        other_name = row.is_alias or row.address != f"{parts.local_part}@{parts.domain}"
        account = account_row(row.account) if row.account else None
        return Resolved("account" if account else "group", account, row.group_id, row.address, other_name)
    return _catch_all(domain.catch_all_id, wanted.address)


def account_named(address: str) -> Account | None:
    """The account of exactly this address or alias (no tag, no catch-all), with its domain."""
    parts = parse(address)
    domain = domain_named(parts.domain) if parts else None
    if parts is None or domain is None:
        return None
    found = Account.objects.filter(addresses__address=Parts(parts.local_part, domain.name).address)
    return found.select_related("domain").first()


def expand_group(group_id: int, *, sender: str) -> Expansion:
    """Everybody in a group right now, each once, and whether `sender` may write to it.

    Groups in groups are followed once each, whatever loops they make; a restriction holds where the mail enters.
    `sender` must be proven by the caller (signed in, or authenticated mail): it is only compared here.
    """
    group = Group.objects.filter(pk=group_id).first()
    if group is None:
        return Expansion([], [], allowed=False)
    accounts, externals = _members(group)
    allowed = _may_post(group, sender, accounts=accounts, externals=externals)
    is_held = group.needs_approval and not _is_approver(group, sender)
    return Expansion(sorted(accounts.values(), key=lambda row: row.address), sorted(externals), allowed, is_held)


def members_outside(addresses: Iterable[str]) -> set[str]:
    """Whom the groups among `addresses` lead to at domains that are not ours. One query where none of them is a group."""
    groups = {group.pk: group for _address, group in _groups_among(addresses)}
    outside = {address for group in groups.values() for address in _members(group)[1]}
    return {address for address in outside if not is_local_domain(address.rpartition("@")[2])}


def groups_leaving(addresses: Iterable[str], domain_id: int) -> list[str]:
    """Those of `addresses` that are groups with a member of another company, here or elsewhere. One query where none of them
    is a group."""
    known: dict[int, bool] = {}
    found = []
    for address, group in _groups_among(addresses):
        if group.pk not in known:
            known[group.pk] = _leaves(group, domain_id)
        if known[group.pk]:
            found.append(address)
    return found


def _leaves(group: Group, domain_id: int) -> bool:
    accounts, externals = _members(group)
    domains = (domain_named(address.rpartition("@")[2]) for address in externals)
    ids = {row.domain_id for row in accounts.values()} | {domain.id if domain else 0 for domain in domains}
    return bool(ids - {domain_id})


def _groups_among(addresses: Iterable[str]) -> list[tuple[str, Group]]:
    """Each address of a group as it was given."""
    wanted: list[tuple[str, str, str]] = []
    for each in addresses:
        parts = parse(each)
        domain = domain_named(parts.domain) if parts else None
        if parts is not None and domain is not None and domain.is_active:
            exact = Parts(parts.local_part, domain.name)
            wanted.append((each, exact.address, exact.untagged.address))
    names = list({name for _given, *pair in wanted for name in pair})
    known: dict[str, int | None] = {}
    for at in range(0, len(names), NAMES_AT_ONCE):
        rows = Address.objects.filter(address__in=names[at : at + NAMES_AT_ONCE])
        known.update(rows.values_list("address", "group_id"))
    found = [(given, known.get(exact, known.get(untagged))) for given, exact, untagged in wanted]
    groups = Group.objects.in_bulk({pk for _given, pk in found if pk is not None})
    return [(given, groups[pk]) for given, pk in found if pk in groups]


def _row_of(parts: Parts) -> Address | None:
    """The exact address before the one without its tag."""
    wanted = {parts.address, parts.untagged.address}
    rows = Address.objects.filter(address__in=wanted).select_related("account__domain")
    return max(rows, key=lambda row: row.address == parts.address, default=None)


def _catch_all(account_id: int | None, address: str) -> Resolved | None:
    if account_id is None:
        return None
    account = Account.objects.select_related("domain").filter(pk=account_id).first()
    if account is None or account.status != Account.Status.ACTIVE:
        return None
    return Resolved("catch_all", account_row(account), None, address, via_alias=True)


def _members(first: Group) -> tuple[dict[int, AccountRow], set[str]]:
    accounts: dict[int, AccountRow] = {}
    externals: set[str] = set()
    waiting, seen = [first], {first.pk}
    while waiting:
        group = waiting.pop()
        accounts |= {account.pk: account_row(account) for account in _accounts_of(group)}
        inner, outside = _links_of(group)
        for address in outside:
            inner += _place(address, accounts=accounts, externals=externals)
        fresh = [each for each in inner if each.pk not in seen][: MAX_GROUPS - len(seen)]
        waiting += fresh
        seen |= {each.pk for each in fresh}
    return accounts, externals


def _place(address: str, *, accounts: dict[int, AccountRow], externals: set[str]) -> list[Group]:
    """Put an address of a list where it belongs: its domain may have become ours since it was added."""
    member = resolve(address) if is_local_domain(address.rpartition("@")[2]) else None
    if member is None:
        externals.add(address)  # also a local one that nobody has: its refusal must be seen
    elif member.account is not None:
        accounts[member.account.id] = member.account
    elif member.group_id is not None:
        return list(Group.objects.filter(pk=member.group_id))
    return []


def _accounts_of(group: Group) -> Iterable[Account]:
    """Whoever takes part in mail; `all` and departments mean people, a list whatever it names."""
    active = Account.objects.filter(domain=group.domain_id, status=Account.Status.ACTIVE).select_related("domain")
    if group.kind == Group.Kind.LIST:
        return active.filter(memberships__group=group)
    people = active.filter(kind=Account.Kind.PERSON)
    if group.kind == Group.Kind.ALL:
        return people
    return people.filter(department__in=subtree(group.domain_id, group.department_id))


def _links_of(group: Group) -> tuple[list[Group], set[str]]:
    """Groups and external addresses in a list."""
    if group.kind != Group.Kind.LIST:
        return [], set()
    rows = GroupMember.objects.filter(group=group, account=None).select_related("subgroup")
    return [row.subgroup for row in rows if row.subgroup], {row.external for row in rows if row.external}


def subtree(domain_id: int, top: int | None) -> set[int]:
    """A department and all below it (one query; loops can't hold it up)."""
    below: dict[int | None, list[int]] = {}
    for pk, parent in Department.objects.filter(domain=domain_id).values_list("pk", "parent"):
        below.setdefault(parent, []).append(pk)
    found: set[int] = set()
    waiting = [top] if top is not None else []
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            waiting += below.get(here, [])
    return found


def _is_approver(group: Group, sender: str) -> bool:
    found = resolve(sender) if group.approver_id is not None else None
    return found is not None and found.account is not None and found.account.id == group.approver_id


def _is_chosen(group: Group, sender: str, found: Resolved | None) -> bool:
    """One of the addresses, or whoever has one of them as another name."""
    parts = parse(sender)
    posters = set(group.posters.split())
    if parts is not None and posters & {parts.address, parts.untagged.address}:
        return True
    account = found.account if found is not None and found.kind == "account" else None
    return account is not None and account.address in posters


def _may_post(group: Group, sender: str, *, accounts: dict[int, AccountRow], externals: set[str]) -> bool:
    if group.posting == Group.Posting.ANYONE:
        return True
    found = resolve(sender)
    if group.posting == Group.Posting.CHOSEN:
        return _is_chosen(group, sender, found)
    author = found.account if found and found.kind == "account" else None
    if group.posting == Group.Posting.DOMAIN:
        return author is not None and author.domain_id == group.domain_id
    parts = parse(sender)
    return (author is not None and author.id in accounts) or (parts is not None and parts.address in externals)
