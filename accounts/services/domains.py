"""Making and changing domains."""

from __future__ import annotations

import re
import zoneinfo
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.addressing import canonical_domain
from accounts.domain_names import forget_domains
from accounts.models import Account, Address, Domain, DomainAlias, Group
from accounts.services.permission import apply, audit, require_admin, require_operator
from accounts.steps import run_account_steps, run_domain_steps
from core.errors import ErrorKind, MailError

SYSTEM_LOCAL_PART = "mailer-daemon"
POSTMASTER = "postmaster"
EVERYBODY = "all"

OPERATORS_FIELDS = frozenset({"is_active", "default_quota_bytes", "message_max_bytes"})
"""What is sold or protects the machine; everything else is the domain's own business."""
DOMAIN_FIELDS = OPERATORS_FIELDS | {
    "title",
    "brand_colour",
    "language",
    "time_zone",
    "max_recipients",
    "max_aliases",
    "max_folders",
    "max_folder_depth",
    "max_labels",
    "recovery_days",
    "empty_trash_days",
    "empty_junk_days",
}
MAX_EMPTY_DAYS = 3650
COLOUR = re.compile(r"#[0-9a-fA-F]{6}\Z")


@transaction.atomic
def create_domain(
    name: str,
    *,
    title: str = "",
    language: str = "zh-hans",
    time_zone: str = "Asia/Shanghai",
    brand_colour: str = "",
    actor: Account | None = None,
) -> Domain:
    """A domain with its system account mailer-daemon@, postmaster@ (RFC 5321 4.5.1) and the group all@.

    Raises INVALID for a bad name, colour, language or zone, EXISTS for a name that is taken.
    """
    require_operator(actor)
    canonical = canonical_domain(name)
    require_free_name(canonical)
    look = {"title": title, "language": language, "time_zone": time_zone, "brand_colour": brand_colour}
    _require_valid(look)
    domain = Domain.objects.create(name=canonical, **look)
    _create_system_account(domain)
    _create_everybody(domain)
    run_domain_steps("created", domain)
    audit(actor, "create_domain", domain_id=domain.pk, address=canonical, title=title)
    forget_domains()
    return domain


@transaction.atomic
def update_domain(domain: Domain, *, actor: Account | None = None, **changes: Any) -> Domain:
    """Change fields of DOMAIN_FIELDS. Limits of the installation are the operator's; raises NO_PERMISSION."""
    require_admin(actor, domain.pk)
    if not changes.keys() <= DOMAIN_FIELDS:
        raise MailError(ErrorKind.INVALID, field=", ".join(sorted(changes.keys() - DOMAIN_FIELDS)))
    fresh = Domain.objects.select_for_update().get(pk=domain.pk)
    if any(getattr(fresh, name) != changes[name] for name in OPERATORS_FIELDS & changes.keys()):
        require_operator(actor)
    _require_valid(changes)
    described = apply(fresh, changes)
    if "is_active" in described:
        run_domain_steps("suspended", fresh)
    if described:
        audit(actor, "update_domain", domain_id=fresh.pk, address=fresh.name, changes=described)
    forget_domains()
    return fresh


def require_free_name(canonical: str) -> None:
    """Raise EXISTS when the name is a domain or a domain alias."""
    if Domain.objects.filter(name=canonical).exists() or DomainAlias.objects.filter(name=canonical).exists():
        raise MailError(ErrorKind.EXISTS, name=canonical)


def require_time_zone(name: str) -> None:
    """Raise INVALID for a zone that this machine doesn't know."""
    if name not in zoneinfo.available_timezones():
        raise MailError(ErrorKind.INVALID, field="time_zone", name=name)


def require_language(code: str) -> None:
    """Raise INVALID for a language without a catalogue."""
    if code not in dict(settings.LANGUAGES):
        raise MailError(ErrorKind.INVALID, field="language", name=code)


def _require_valid(changes: dict[str, Any]) -> None:
    if changes.get("brand_colour") and not COLOUR.match(changes["brand_colour"]):
        raise MailError(ErrorKind.INVALID, field="brand_colour", name=changes["brand_colour"])
    for field in ("empty_trash_days", "empty_junk_days"):
        if changes.get(field) is not None and not 1 <= changes[field] <= MAX_EMPTY_DAYS:
            raise MailError(ErrorKind.INVALID, field=field)
    if "language" in changes:
        require_language(changes["language"])
    if "time_zone" in changes:
        require_time_zone(changes["time_zone"])


def _create_system_account(domain: Domain) -> None:
    """Sends bounces and notices, and keeps what comes to postmaster@ until there is an administrator."""
    address = f"{SYSTEM_LOCAL_PART}@{domain.name}"
    account = Account.objects.create(
        domain=domain,
        local_part=SYSTEM_LOCAL_PART,
        address=address,
        kind=Account.Kind.SYSTEM,
        name="Mail Delivery System",
        language=domain.language,
        time_zone=domain.time_zone,
        quota_bytes=domain.default_quota_bytes,
    )
    Address.objects.create(domain=domain, address=address, account=account)
    Address.objects.create(domain=domain, address=f"{POSTMASTER}@{domain.name}", account=account, is_alias=True)
    run_account_steps("created", account)


def _create_everybody(domain: Domain) -> None:
    group = Group.objects.create(domain=domain, name=domain.title or domain.name, kind=Group.Kind.ALL)
    Address.objects.create(domain=domain, address=f"{EVERYBODY}@{domain.name}", group=group)
