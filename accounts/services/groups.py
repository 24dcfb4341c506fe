"""Group addresses and their members."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from accounts.addressing import parse
from accounts.domain_names import is_local_domain
from accounts.models import Account, Address, Department, Domain, Group, GroupMember
from accounts.services.addresses import address_in, claim, require_free
from accounts.services.permission import apply, audit, require_admin
from accounts.steps import run_group_steps
from core.errors import ErrorKind, MailError

GROUP_FIELDS = frozenset(
    {"name", "description", "posting", "department", "kind", "posters", "needs_approval", "approver"}
)
POSTERS_MAX = 200


@transaction.atomic
def create_group(
    domain: Domain,
    local_part: str,
    *,
    name: str,
    kind: str = Group.Kind.LIST,
    department: Department | None = None,
    posting: str = Group.Posting.DOMAIN,
    description: str = "",
    members: Iterable[Account | Group] = (),
    externals: Iterable[str] = (),
    actor: Account | None = None,
    **approval: Any,
) -> Group:
    """A group with its address. Members only for lists; a department group needs its department, approval an approver
    (INVALID). `approval`: `posters` (addresses, one a line), `needs_approval`, `approver`."""
    require_admin(actor, domain.pk)
    group = Group(domain=domain, name=name.strip(), description=description, **_approval(approval))
    group.kind, group.posting, group.department = kind, posting, department
    _require_valid(group)
    address = address_in(domain, local_part)
    require_free(address)
    group.save()
    claim(address, domain=domain, group=group)
    audit(actor, "create_group", domain_id=domain.pk, address=address, kind=kind, posting=posting)
    for member in (*members, *externals):
        add_member(group, member, actor=actor)
    return group


@transaction.atomic
def update_group(group: Group, *, actor: Account | None = None, **changes: Any) -> Group:
    """Change fields of GROUP_FIELDS; members of what is no longer a list are kept but not used."""
    require_admin(actor, group.domain_id)
    if not changes.keys() <= GROUP_FIELDS:
        raise MailError(ErrorKind.INVALID, field=", ".join(sorted(changes.keys() - GROUP_FIELDS)))
    fresh = Group.objects.select_for_update(of=("self",)).select_related("domain").get(pk=group.pk)
    if "posters" in changes:
        changes["posters"] = _canonical_posters(changes["posters"])
    wanted = {name: changes.get(name, getattr(fresh, name)) for name in GROUP_FIELDS}
    _require_valid(Group(domain=fresh.domain, **wanted))
    described = apply(fresh, changes)
    if described:
        audit(actor, "update_group", domain_id=fresh.domain_id, address=address_of(fresh), changes=described)
    return fresh


@transaction.atomic
def delete_group(group: Group, *, actor: Account | None = None) -> None:
    """The group, its address and its memberships; its members' mail stays. What `accounts.steps.losses_of` told goes with
    it."""
    require_admin(actor, group.domain_id)
    run_group_steps(group, actor)
    audit(actor, "delete_group", domain_id=group.domain_id, address=address_of(group), name=group.name)
    group.delete()


@transaction.atomic
def add_member(group: Group, member: Account | Group | str, *, actor: Account | None = None) -> GroupMember:
    """An account or group of the same domain, or an external address (at most 15 of these: LIMIT).

    A local address written as text becomes the account or group that it means (NOT_FOUND when it means none).
    """
    require_admin(actor, group.domain_id)
    if isinstance(member, str):
        member = _external_or_local(member)
    row = _row(group, member)
    if GroupMember.objects.filter(
        group=group, account=row.account, subgroup=row.subgroup, external=row.external
    ).exists():
        raise MailError(ErrorKind.EXISTS, member=str(member))
    row.save()
    audit(actor, "add_member", domain_id=group.domain_id, address=address_of(group), member=_name_of(row))
    return row


@transaction.atomic
def remove_member(member: GroupMember, *, actor: Account | None = None) -> None:
    """Take one member out."""
    group = member.group
    require_admin(actor, group.domain_id)
    audit(actor, "remove_member", domain_id=group.domain_id, address=address_of(group), member=_name_of(member))
    member.delete()


def address_of(group: Group) -> str:
    """The group's own address."""
    return group.addresses.order_by("is_alias", "pk").values_list("address", flat=True).first() or group.name


def _row(group: Group, member: Account | Group | str) -> GroupMember:
    row = GroupMember(group=group)
    if isinstance(member, str):
        _require_room(group)
        row.external = member
        return row
    if member.domain_id != group.domain_id:
        raise MailError(ErrorKind.NOT_FOUND, member=str(member))
    if isinstance(member, Group):
        if member.pk == group.pk:
            raise MailError(ErrorKind.INVALID, field="subgroup")
        row.subgroup = member
    else:
        if member.status == Account.Status.ERASED:
            raise MailError(ErrorKind.NOT_FOUND, member=str(member))
        row.account = member
    return row


def _require_room(group: Group) -> None:
    Group.objects.select_for_update().get(pk=group.pk)
    if GroupMember.objects.filter(group=group).exclude(external="").count() >= GroupMember.MAX_EXTERNAL:
        raise MailError(ErrorKind.LIMIT, limit=GroupMember.MAX_EXTERNAL, field="external")


def _external_or_local(text: str) -> Account | Group | str:
    parts = parse(text)
    if parts is None or "." not in parts.domain or any(character in parts.address for character in ' ,;<>"\\'):
        raise MailError(ErrorKind.INVALID, field="external", name=text)
    if not is_local_domain(parts.domain):
        return parts.address
    found = Address.objects.select_related("account", "group").filter(address=parts.address).first()
    member = (found.account or found.group) if found else None
    if member is None:
        raise MailError(ErrorKind.NOT_FOUND, member=text)
    return member


def _name_of(member: GroupMember) -> str:
    return address_of(member.subgroup) if member.subgroup else str(member)


def _approval(given: dict[str, Any]) -> dict[str, Any]:
    unknown = given.keys() - {"posters", "needs_approval", "approver"}
    if unknown:
        raise MailError(ErrorKind.INVALID, field=", ".join(sorted(unknown)))
    return given | ({"posters": _canonical_posters(given["posters"])} if "posters" in given else {})


def _canonical_posters(text: str) -> str:
    """One address a line, in the form in which senders are compared."""
    found = [parse(word) for word in text.replace(",", " ").split()]
    if any(parts is None or not parts.domain for parts in found):
        raise MailError(ErrorKind.INVALID, field="posters")
    if len(found) > POSTERS_MAX:
        raise MailError(ErrorKind.LIMIT, field="posters", limit=POSTERS_MAX)
    return "\n".join(dict.fromkeys(parts.address for parts in found if parts is not None))


def _require_valid(group: Group) -> None:
    approver = group.approver
    if group.needs_approval and approver is None:
        raise MailError(ErrorKind.INVALID, field="approver")
    if approver is not None and (approver.domain_id != group.domain_id or not approver.is_active):
        raise MailError(ErrorKind.INVALID, field="approver")
    if group.posting == Group.Posting.CHOSEN and not group.posters:
        raise MailError(ErrorKind.INVALID, field="posters")
    if not group.name.strip():
        raise MailError(ErrorKind.INVALID, field="name")
    if group.kind not in Group.Kind.values or group.posting not in Group.Posting.values:
        raise MailError(ErrorKind.INVALID, field="kind")
    needs_department = group.kind == Group.Kind.DEPARTMENT
    if needs_department != (group.department is not None):
        raise MailError(ErrorKind.INVALID, field="department")
    if group.department is not None and group.department.domain_id != group.domain_id:
        raise MailError(ErrorKind.INVALID, field="department")
