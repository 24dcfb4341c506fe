"""Making, changing, suspending and erasing accounts."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from django.db import transaction

from accounts.addressing import canonical_local_part
from accounts.domain_names import forget_domains
from accounts.models import (
    Account,
    Address,
    Department,
    Domain,
    GroupMember,
    MailboxGrant,
)
from accounts.models.accounts import MAX_ACCOUNT_ID
from accounts.services.addresses import claim, require_free
from accounts.services.credentials import write_password
from accounts.services.domains import POSTMASTER, require_language, require_time_zone
from accounts.services.permission import (
    apply,
    audit,
    require_admin,
    require_admin_of,
    require_operator,
)
from accounts.steps import run_account_steps
from core.errors import ErrorKind, MailError

ACCOUNT_FIELDS = frozenset(
    {
        "name",
        "title",
        "department",
        "kind",
        "role",
        "language",
        "time_zone",
        "quota_bytes",
        "valid_until",
        "must_change_password",
        "is_hidden",
    }
)
STEP_FIELDS = frozenset({"name"})
"""What upper layers may have copied."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Everything about a new account but its name and password; None takes the domain's value."""

    kind: str = Account.Kind.PERSON
    role: str = Account.Role.MEMBER
    department: Department | None = None
    title: str = ""
    language: str | None = None
    time_zone: str | None = None
    quota_bytes: int | None = None
    valid_until: datetime.date | None = None
    must_change_password: bool = False
    is_hidden: bool = False

    def fields(self, domain: Domain) -> dict[str, Any]:
        """As columns, with the domain's values for what is None."""
        given = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return given | {
            "language": self.language or domain.language,
            "time_zone": self.time_zone or domain.time_zone,
            "quota_bytes": domain.default_quota_bytes if self.quota_bytes is None else self.quota_bytes,
        }


@transaction.atomic
def create_account(
    domain: Domain,
    local_part: str,
    *,
    name: str,
    password: str | None = None,
    actor: Account | None = None,
    **profile: Any,
) -> Account:
    """An account with its address, its password (None: can't sign in) and all that upper layers add.

    `profile`: the fields of Profile. Raises INVALID (name, password with `problems`, department of another domain),
    EXISTS for an address in use or reserved by an erased account, NO_PERMISSION to make an operator.
    """
    require_admin(actor, domain.pk)
    fields = Profile(**profile).fields(domain)
    _require_valid(domain.pk, fields | {"name": name}, actor=actor)
    address = f"{canonical_local_part(local_part)}@{domain.name}"
    require_free(address)
    account = Account.objects.create(
        domain=domain, local_part=address.partition("@")[0], address=address, name=name.strip(), **fields
    )
    _require_id_fits(account)
    claim(address, domain=domain, account=account)
    if password is not None:
        write_password(account, password)
    _take_over_postmaster(account)
    run_account_steps("created", account)
    audit(actor, "create_account", domain_id=domain.pk, address=address, role=account.role, kind=account.kind)
    return account


@transaction.atomic
def update_account(account: Account, *, actor: Account | None = None, **changes: Any) -> Account:
    """Change fields of ACCOUNT_FIELDS; an account may change its own name, language and zone."""
    fresh = _locked(account)
    _require_may_update(actor, fresh, changes)
    if not changes.keys() <= ACCOUNT_FIELDS:
        raise MailError(ErrorKind.INVALID, field=", ".join(sorted(changes.keys() - ACCOUNT_FIELDS)))
    _require_valid(fresh.domain_id, changes, actor=actor, was=fresh)
    described = apply(fresh, changes)
    if STEP_FIELDS & described.keys():
        run_account_steps("renamed", fresh)
    if "role" in described:
        _take_over_postmaster(fresh)
    if described:
        audit(actor, "update_account", domain_id=fresh.domain_id, address=fresh.address, changes=described)
    return fresh


@transaction.atomic
def suspend_account(account: Account, *, suspended: bool = True, actor: Account | None = None) -> Account:
    """Stop (or allow again) signing in; sessions end at once. An erased account is NOT_FOUND."""
    fresh = _locked(account)
    require_admin_of(actor, fresh)
    _require_not_self(actor, fresh)
    _require_not_system(fresh)
    status = Account.Status.SUSPENDED if suspended else Account.Status.ACTIVE
    if fresh.status == status:
        return fresh
    apply(fresh, {"status": status, "session_version": fresh.session_version + 1})
    run_account_steps("suspended", fresh)
    action = "suspend_account" if suspended else "restore_account"
    audit(actor, action, domain_id=fresh.domain_id, address=fresh.address)
    return fresh


def restore_account(account: Account, *, actor: Account | None = None) -> Account:
    """Undo `suspend_account`."""
    return suspend_account(account, suspended=False, actor=actor)


@transaction.atomic
def erase_account(account: Account, *, actor: Account | None = None) -> None:
    """Take away addresses, secrets, memberships and grants. The row stays, so its name is never given away. What
    `accounts.steps.losses_of_account` told goes with it."""
    fresh = _locked(account)
    require_admin_of(actor, fresh)
    _require_not_self(actor, fresh)
    _require_not_system(fresh)
    _give_back_postmaster(fresh)
    Address.objects.filter(account=fresh).delete()
    GroupMember.objects.filter(account=fresh).delete()
    MailboxGrant.objects.filter(owner=fresh).delete()
    MailboxGrant.objects.filter(grantee=fresh).delete()
    Domain.objects.filter(catch_all=fresh).update(catch_all=None)
    fresh.credentials.all().delete()
    apply(
        fresh,
        {"status": Account.Status.ERASED, "session_version": fresh.session_version + 1, "role": Account.Role.MEMBER},
    )
    run_account_steps("erased", fresh)
    audit(actor, "erase_account", domain_id=fresh.domain_id, address=fresh.address)
    forget_domains()


def _locked(account: Account) -> Account:
    found = Account.objects.select_for_update(of=("self",)).select_related("domain").filter(pk=account.pk).first()
    if found is None or found.status == Account.Status.ERASED:
        raise MailError(ErrorKind.NOT_FOUND)
    return found


OWN_FIELDS = frozenset({"name", "language", "time_zone"})


def _require_may_update(actor: Account | None, account: Account, changes: dict[str, Any]) -> None:
    own = actor is not None and actor.pk == account.pk
    if own and changes.keys() <= OWN_FIELDS:
        return
    require_admin_of(actor, account)
    if own and changes.get("role", account.role) != account.role:
        raise MailError(ErrorKind.IN_USE, field="role")  # an administrator can't lock himself out
    if account.kind == Account.Kind.SYSTEM and {"role", "kind"} & changes.keys():
        _require_unchanged(account, changes)


def _require_unchanged(account: Account, changes: dict[str, Any]) -> None:
    if any(changes.get(name, getattr(account, name)) != getattr(account, name) for name in ("role", "kind")):
        raise MailError(ErrorKind.IN_USE, field="kind")


def _require_valid(
    domain_id: int, fields: dict[str, Any], *, actor: Account | None, was: Account | None = None
) -> None:
    if "name" in fields and not fields["name"].strip():
        raise MailError(ErrorKind.INVALID, field="name")
    if fields.get("role", "") not in {"", *Account.Role.values}:
        raise MailError(ErrorKind.INVALID, field="role")
    _require_kind(fields, was)
    if fields.get("role") == Account.Role.OPERATOR:
        require_operator(actor)
    department = fields.get("department")
    if department is not None and department.domain_id != domain_id:
        raise MailError(ErrorKind.INVALID, field="department")
    if fields.get("quota_bytes", 0) < 0:
        raise MailError(ErrorKind.INVALID, field="quota_bytes")
    if "language" in fields:
        require_language(fields["language"])
    if "time_zone" in fields:
        require_time_zone(fields["time_zone"])


def _require_kind(fields: dict[str, Any], was: Account | None) -> None:
    """System accounts come with their domain and never otherwise."""
    kind = fields.get("kind")
    unchanged = was is not None and was.kind == kind
    if kind is not None and not unchanged and kind not in {Account.Kind.PERSON, Account.Kind.SHARED}:
        raise MailError(ErrorKind.INVALID, field="kind")


def _require_id_fits(account: Account) -> None:
    if account.pk > MAX_ACCOUNT_ID:
        raise MailError(ErrorKind.LIMIT, limit=MAX_ACCOUNT_ID, field="accounts")


def _require_not_self(actor: Account | None, account: Account) -> None:
    if actor is not None and actor.pk == account.pk:
        raise MailError(ErrorKind.IN_USE, field="account")


def _require_not_system(account: Account) -> None:
    if account.kind == Account.Kind.SYSTEM:
        raise MailError(ErrorKind.IN_USE, field="account")


def _take_over_postmaster(account: Account) -> None:
    """The first administrator of a domain reads what comes to its postmaster."""
    if account.role == Account.Role.MEMBER:
        return
    address = f"{POSTMASTER}@{account.domain.name}"
    Address.objects.filter(address=address, account__kind=Account.Kind.SYSTEM).update(account=account)


def _give_back_postmaster(account: Account) -> None:
    """RFC 5321 4.5.1: there is always somebody behind postmaster@."""
    system = Account.objects.filter(domain=account.domain_id, kind=Account.Kind.SYSTEM).exclude(pk=account.pk).first()
    if system is not None:
        Address.objects.filter(account=account, address=f"{POSTMASTER}@{account.domain.name}").update(account=system)
