"""The company's people, as colleagues see them."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.models import Account, Department, Group
from accounts.rows import DepartmentRow, Identity, Person

MAX_PERSONS = 2_000


def directory(domain_id: int, *, limit: int = MAX_PERSONS) -> tuple[list[DepartmentRow], list[Person]]:
    """The visible departments, parents first, and the visible people by name (at most `limit`); two queries."""
    departments = _tree(domain_id)
    shown = {row.id for row in departments}
    people = [
        person
        for person in map(_person, _visible(domain_id).order_by("name", "address")[:limit])
        if person.department_id is None or person.department_id in shown
    ]
    return departments, people


def complete(domain_id: int, prefix: str, limit: int = 8) -> list[Identity]:
    """People and groups of the domain whose name or address holds `prefix`, for the recipient field."""
    wanted = prefix.strip()[:80]
    if not wanted:
        return []
    people = _visible(domain_id).filter(
        Q(address__istartswith=wanted) | Q(name__icontains=wanted) | Q(addresses__address__istartswith=wanted)
    )
    rows = people.order_by("address").distinct().values_list("address", "name")[:limit]
    found = [Identity(address, name) for address, name in rows]
    groups = Group.objects.filter(domain=domain_id, addresses__isnull=False).filter(
        Q(name__icontains=wanted) | Q(addresses__address__istartswith=wanted)
    )
    named = groups.order_by("name").distinct().values_list("addresses__address", "name")[: limit - len(found)]
    return found + [Identity(address, name) for address, name in named]


def _visible(domain_id: int) -> QuerySet[Account]:
    mail = Account.objects.filter(domain=domain_id, status=Account.Status.ACTIVE, is_hidden=False)
    return mail.exclude(kind=Account.Kind.SYSTEM).exclude(department__is_hidden=True).select_related("department")


def _person(account: Account) -> Person:
    department = account.department.name if account.department else ""
    return Person(account.pk, account.address, account.name, account.title, account.department_id, department)


def _tree(domain_id: int) -> list[DepartmentRow]:
    """Depth first; what hangs below a hidden department is hidden too."""
    below: dict[int | None, list[Department]] = {}
    for department in Department.objects.filter(domain=domain_id, is_hidden=False):
        below.setdefault(department.parent_id, []).append(department)
    return _walk(below, None, 0)


def _walk(below: dict[int | None, list[Department]], parent: int | None, depth: int) -> list[DepartmentRow]:
    rows = []
    for department in below.get(parent, []):
        rows.append(DepartmentRow(department.pk, parent, department.name, depth))
        rows += _walk(below, department.pk, depth + 1)
    return rows
