"""A domain's smart host: set and taken away by its administrators; the secret is kept encrypted."""

from __future__ import annotations

import dataclasses
import re

from django.db import transaction

from accounts.models import Account, Domain
from accounts.services.permission import audit, require_admin
from core.crypto import encrypt
from core.errors import ErrorKind, MailError
from mta.models import SmartHost
from mta.outbound.relays import PURPOSE

PORT_MAX = 65_535
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:\-]{0,252}[A-Za-z0-9])?")


@dataclasses.dataclass(frozen=True, slots=True)
class SmartHostWish:
    """What to use. `secret` None keeps the one that is stored."""

    host: str
    port: int = 587
    encryption: str = SmartHost.Encryption.STARTTLS
    username: str = ""
    secret: str | None = None
    is_active: bool = True


@transaction.atomic
def set_smart_host(domain: Domain, wish: SmartHostWish, *, actor: Account | None = None) -> SmartHost:
    """Make or change it; used for the next mail. Raises INVALID (field), NO_PERMISSION, NOT_FOUND."""
    require_admin(actor, domain.pk)
    _check(wish)
    row = SmartHost.objects.select_for_update().filter(pk=domain.pk).first() or SmartHost(domain=domain)
    row.host, row.port, row.encryption = wish.host.strip().lower(), wish.port, wish.encryption
    row.username, row.is_active = wish.username, wish.is_active
    if wish.secret is not None:
        row.secret = encrypt(PURPOSE, wish.secret.encode())
    if row.username and not row.secret:
        raise MailError(ErrorKind.INVALID, field="secret")
    row.save()
    changes = {"host": str(row), "encryption": row.encryption, "username": row.username, "is_active": row.is_active}
    audit(actor, "set_smart_host", domain_id=domain.pk, address=domain.name, changes=changes)
    return row


@transaction.atomic
def remove_smart_host(domain: Domain, *, actor: Account | None = None) -> None:
    """Mail goes to its recipients' own servers again. Raises NO_PERMISSION, NOT_FOUND."""
    require_admin(actor, domain.pk)
    removed, _ = SmartHost.objects.filter(pk=domain.pk).delete()
    if not removed:
        raise MailError(ErrorKind.NOT_FOUND)
    audit(actor, "remove_smart_host", domain_id=domain.pk, address=domain.name)


def _check(wish: SmartHostWish) -> None:
    if not _HOST.fullmatch(wish.host.strip()):
        raise MailError(ErrorKind.INVALID, field="host")
    if not 0 < wish.port <= PORT_MAX:
        raise MailError(ErrorKind.INVALID, field="port")
    if wish.encryption not in SmartHost.Encryption.values:
        raise MailError(ErrorKind.INVALID, field="encryption")
    if wish.username and wish.encryption == SmartHost.Encryption.NONE:
        raise MailError(ErrorKind.INVALID, field="encryption")  # no secret in the clear
    if any(ord(letter) < ord(" ") for letter in wish.username + (wish.secret or "")):
        raise MailError(ErrorKind.INVALID, field="username")
