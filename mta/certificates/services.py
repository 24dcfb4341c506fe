"""Certificates put in place, taken away, and watched until they expire."""

from __future__ import annotations

import datetime
import time

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account, Domain
from accounts.services.permission import audit, require_admin
from core.crypto import encrypt
from core.errors import ErrorKind, MailError
from mailstore.services.deliver import store
from mta.certificates.files import PURPOSE, write_all
from mta.certificates.reading import read_material
from mta.certificates.selectors import hosts_of
from mta.models import HostCertificate
from mta.notices import notice

WARN_DAYS = (1, 7, 21)
"""Administrators are told when so many days are left; ACME renews long before."""
Source = HostCertificate.Source


def set_certificate(
    domain: Domain, host: str, chain: str, key: str, *, source: str = Source.UPLOAD, actor: Account | None = None
) -> HostCertificate:
    """Check and put in place; served within a minute. Raises INVALID (host, or what `read_material` says), NO_PERMISSION,
    NOT_FOUND."""
    host = host.strip().lower().rstrip(".")
    material = read_material(host, chain, key, now=timezone.now())
    with transaction.atomic():
        require_admin(actor, domain.pk)
        if host not in hosts_of(domain):
            raise MailError(ErrorKind.INVALID, field="host", reason="not_ours")
        row, _made = HostCertificate.objects.update_or_create(
            host=host,
            defaults={
                "domain": domain,
                "chain": material.chain,
                "key": encrypt(PURPOSE, material.key),
                "issuer": material.issuer,
                "begins_at": material.begins_at,
                "expires_at": material.expires_at,
                "source": source,
                "told_days": 1000,
                "changed_us": time.time_ns() // 1000,
            },
        )
        facts = {"issuer": material.issuer, "until": material.expires_at.isoformat(), "source": source}
        audit(actor, "set_certificate", domain_id=domain.pk, address=host, changes=facts)
        transaction.on_commit(write_all, robust=True)
    return row


@transaction.atomic
def remove_certificate(row: HostCertificate, *, actor: Account | None = None) -> None:
    """Serve the public host's certificate under this name again. Raises NO_PERMISSION, NOT_FOUND."""
    require_admin(actor, row.domain_id)
    audit(actor, "remove_certificate", domain_id=row.domain_id, address=row.host)
    row.delete()
    transaction.on_commit(write_all, robust=True)


def warn_of_expiry(now: datetime.datetime) -> int:
    """Tell administrators of certificates that end soon, once for each of WARN_DAYS; how many certificates."""
    soon = HostCertificate.objects.filter(expires_at__lt=now + datetime.timedelta(days=max(WARN_DAYS)))
    told = 0
    for row in soon.select_related("domain"):
        left = (row.expires_at - now).days
        step = min(days for days in WARN_DAYS if left < days or days == max(WARN_DAYS))
        if step < row.told_days:
            _tell(row, max(left, 0), step)
            told += 1
    return told


@transaction.atomic
def _tell(row: HostCertificate, left: int, step: int) -> None:
    HostCertificate.objects.filter(pk=row.pk).update(told_days=step)
    readers = administrators_of(row.domain)

    def words() -> tuple[str, str]:
        subject = _("The certificate of %(host)s expires in %(days)d days") % {"host": row.host, "days": left}
        text = _(
            "The TLS certificate of %(host)s is valid until %(until)s (UTC). Mail programs and browsers will refuse the "
            "connection after that. Put a new one in place in the administration under Certificates."
        ) % {"host": row.host, "until": row.expires_at.strftime("%Y-%m-%d %H:%M")}
        return subject, text + "\n"

    if readers:
        store([notice(reader, words) for reader in readers])


def administrators_of(domain: Domain) -> list[Account]:
    """Who looks after a domain: its administrators, else the operators."""
    active = Account.objects.filter(status=Account.Status.ACTIVE, kind=Account.Kind.PERSON).select_related("domain")
    own = list(active.filter(domain=domain, role=Account.Role.DOMAIN_ADMIN).order_by("pk"))
    return own or list(active.filter(role=Account.Role.OPERATOR).order_by("pk"))
