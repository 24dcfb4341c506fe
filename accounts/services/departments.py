"""The tree of departments."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import Account, Department, Domain
from accounts.services.permission import apply, audit, require_admin
from core.errors import ErrorKind, MailError

MAX_DEPTH = 10
DEPARTMENT_FIELDS = frozenset({"name", "parent", "position", "is_hidden"})


@transaction.atomic
def create_department(
    domain: Domain,
    name: str,
    *,
    parent: Department | None = None,
    position: int = 0,
    is_hidden: bool = False,
    actor: Account | None = None,
) -> Department:
    """A department below `parent` (None: at the top). Raises EXISTS for the same name there, LIMIT for depth."""
    require_admin(actor, domain.pk)
    department = Department(domain=domain, parent=parent, position=position, is_hidden=is_hidden)
    department.name = _checked(department, name=name, parent=parent)
    department.save()
    audit(actor, "create_department", domain_id=domain.pk, address=domain.name, name=department.name)
    return department


@transaction.atomic
def update_department(department: Department, *, actor: Account | None = None, **changes: Any) -> Department:
    """Rename, move or order. A department can't be moved below itself (INVALID)."""
    require_admin(actor, department.domain_id)
    if not changes.keys() <= DEPARTMENT_FIELDS:
        raise MailError(ErrorKind.INVALID, field=", ".join(sorted(changes.keys() - DEPARTMENT_FIELDS)))
    fresh = Department.objects.select_for_update().select_related("domain").get(pk=department.pk)
    name, parent = changes.get("name", fresh.name), changes.get("parent", fresh.parent)
    described = apply(fresh, changes | {"name": _checked(fresh, name=name, parent=parent)})
    if described:
        audit(actor, "update_department", domain_id=fresh.domain_id, address=fresh.domain.name, changes=described)
    return fresh


@transaction.atomic
def delete_department(department: Department, *, actor: Account | None = None) -> None:
    """Only an empty one: no people, no sub-departments, no group (IN_USE)."""
    require_admin(actor, department.domain_id)
    people = department.accounts.exclude(status=Account.Status.ERASED)
    if people.exists() or department.children.exists() or department.groups.exists():
        raise MailError(ErrorKind.IN_USE, name=department.name)
    audit(
        actor, "delete_department", domain_id=department.domain_id, address=department.domain.name, name=department.name
    )
    department.delete()


def _checked(department: Department, *, name: str, parent: Department | None) -> str:
    """The stripped name, after every rule."""
    name = name.strip()
    if not name:
        raise MailError(ErrorKind.INVALID, field="name")
    _require_place(department, parent)
    same = Department.objects.filter(domain=department.domain_id, parent=parent, name=name).exclude(pk=department.pk)
    if same.exists():
        raise MailError(ErrorKind.EXISTS, name=name)
    return name


def _require_place(department: Department, parent: Department | None) -> None:
    depth, above = 1, parent
    while above is not None:
        if above.domain_id != department.domain_id or (department.pk and above.pk == department.pk):
            raise MailError(ErrorKind.INVALID, field="parent")
        depth, above = depth + 1, above.parent
        if depth > MAX_DEPTH:
            raise MailError(ErrorKind.LIMIT, limit=MAX_DEPTH, field="parent")
