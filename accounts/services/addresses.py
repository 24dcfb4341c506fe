"""Aliases, other domain names and the catch-all. An address means one thing only, in one table."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from accounts.addressing import TAG_SEPARATOR, canonical_domain, canonical_local_part
from accounts.domain_names import forget_domains
from accounts.models import Account, Address, Domain, DomainAlias, Group
from accounts.services.domains import POSTMASTER, require_free_name
from accounts.services.permission import (
    audit,
    require_admin,
    require_admin_of,
    require_operator,
)
from core.errors import ErrorKind, MailError


def require_free(address: str) -> None:
    """Raise EXISTS when the address is in use or reserved by an erased account."""
    if Address.objects.filter(address=address).exists() or Account.objects.filter(address=address).exists():
        raise MailError(ErrorKind.EXISTS, address=address)


def claim(
    address: str, *, domain: Domain, account: Account | None = None, group: Group | None = None, is_alias: bool = False
) -> Address:
    """Take an address for an account or a group; whoever commits second gets EXISTS."""
    try:
        with transaction.atomic():
            return Address.objects.create(
                address=address, domain=domain, account=account, group=group, is_alias=is_alias
            )
    except IntegrityError:
        raise MailError(ErrorKind.EXISTS, address=address) from None


@transaction.atomic
def add_alias(account: Account, address: str, *, actor: Account | None = None) -> Address:
    """Another address of an account: a local part, or an address in its own domain.

    Raises LIMIT beyond the domain's `max_aliases` (postmaster@ isn't counted), EXISTS, INVALID for another domain.
    """
    require_admin_of(actor, account)
    _require_mail(account)
    domain = Domain.objects.select_for_update().get(pk=account.domain_id)
    canonical = address_in(domain, address)
    used = account.addresses.filter(is_alias=True).exclude(address=f"{POSTMASTER}@{domain.name}").count()
    if used >= domain.max_aliases:
        raise MailError(ErrorKind.LIMIT, limit=domain.max_aliases, field="aliases")
    require_free(canonical)
    alias = claim(canonical, domain=domain, account=account, is_alias=True)
    audit(actor, "add_alias", domain_id=domain.pk, address=account.address, alias=canonical)
    return alias


@transaction.atomic
def remove_alias(account: Account, address: str, *, actor: Account | None = None) -> None:
    """Give an alias up; it is free for others at once. The account's own address and postmaster@ stay."""
    require_admin_of(actor, account)
    canonical = address_in(account.domain, address)
    if canonical == f"{POSTMASTER}@{account.domain.name}":
        raise MailError(ErrorKind.IN_USE, address=canonical)  # RFC 5321 4.5.1
    removed, _ = Address.objects.filter(account=account, address=canonical, is_alias=True).delete()
    if not removed:
        raise MailError(ErrorKind.NOT_FOUND, address=canonical)
    audit(actor, "remove_alias", domain_id=account.domain_id, address=account.address, alias=canonical)


@transaction.atomic
def move_postmaster(domain: Domain, account: Account, *, actor: Account | None = None) -> None:
    """Let another account of the domain read what comes to postmaster@."""
    require_admin(actor, domain.pk)
    if account.domain_id != domain.pk or account.status == Account.Status.ERASED:
        raise MailError(ErrorKind.NOT_FOUND)
    address = f"{POSTMASTER}@{domain.name}"
    Address.objects.filter(address=address).update(account=account)
    audit(actor, "move_postmaster", domain_id=domain.pk, address=account.address, alias=address)


@transaction.atomic
def add_domain_alias(domain: Domain, name: str, *, actor: Account | None = None) -> DomainAlias:
    """Another name for the whole domain. Only the operator: a name must not be taken from its owner."""
    require_operator(actor)
    canonical = canonical_domain(name)
    require_free_name(canonical)
    alias = DomainAlias.objects.create(domain=domain, name=canonical)
    audit(actor, "add_domain_alias", domain_id=domain.pk, address=domain.name, alias=canonical)
    forget_domains()
    return alias


@transaction.atomic
def remove_domain_alias(alias: DomainAlias, *, actor: Account | None = None) -> None:
    """Mail to that name is no longer ours."""
    require_operator(actor)
    audit(actor, "remove_domain_alias", domain_id=alias.domain_id, address=alias.domain.name, alias=alias.name)
    alias.delete()
    forget_domains()


@transaction.atomic
def set_catch_all(domain: Domain, account: Account | None, *, actor: Account | None = None) -> None:
    """Deliver mail to unknown addresses of the domain to `account`; None refuses it again."""
    require_admin(actor, domain.pk)
    if account is not None and (account.domain_id != domain.pk or account.status == Account.Status.ERASED):
        raise MailError(ErrorKind.NOT_FOUND)
    Domain.objects.filter(pk=domain.pk).update(catch_all=account)
    domain.catch_all = account
    audit(actor, "set_catch_all", domain_id=domain.pk, address=domain.name, to=account.address if account else "off")
    forget_domains()


def address_in(domain: Domain, text: str) -> str:
    """The canonical address of a local part or full address in `domain`; raises INVALID for anything else."""
    local_part, at, name = text.strip().rpartition("@")
    if at and canonical_domain(name) != domain.name:
        raise MailError(ErrorKind.INVALID, field="address", name=text)
    local_part = local_part if at else name
    if TAG_SEPARATOR in local_part:
        raise MailError(ErrorKind.INVALID, field="address", name=text)
    return f"{canonical_local_part(local_part)}@{domain.name}"


def _require_mail(account: Account) -> None:
    if account.status == Account.Status.ERASED:
        raise MailError(ErrorKind.NOT_FOUND)
    if account.kind == Account.Kind.SYSTEM:
        raise MailError(ErrorKind.IN_USE, field="account")
