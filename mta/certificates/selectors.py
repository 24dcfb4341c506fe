"""What certificates there are, and for which hosts there may be one."""

from __future__ import annotations

import datetime
import time

from cryptography import x509
from django.conf import settings

from accounts.addressing import HOST_LABELS
from accounts.models import Domain
from mta.models import HostCertificate

DAY_S = 86_400


def hosts_of(domain: Domain) -> list[str]:
    """The hosts of a domain and of its other names that servers answer under; the installation's own are the first
    domain's."""
    names = [domain.name, *domain.aliases.values_list("name", flat=True)]
    hosts = [host for name in names for host in (name, *(f"{label}.{name}" for label in sorted(HOST_LABELS)))]
    if not Domain.objects.filter(pk__lt=domain.pk).exists():
        hosts += [host for host in (settings.PUBLIC_HOST, settings.EHLO_NAME) if "." in host and host not in hosts]
    return list(dict.fromkeys(hosts))


def days_left() -> dict[str, float]:
    """Days until each certificate expires; PUBLIC_HOST's own, a file, is among them."""
    found = {
        host: (expires_at - datetime.datetime.now(datetime.UTC)).total_seconds() / DAY_S
        for host, expires_at in HostCertificate.objects.values_list("host", "expires_at")
    }
    own = settings.DATA_DIR / "certs" / f"{settings.PUBLIC_HOST}.crt"
    if settings.PUBLIC_HOST not in found and own.exists():
        try:
            expires_at = x509.load_pem_x509_certificate(own.read_bytes()).not_valid_after_utc
        except ValueError:
            return found
        found[settings.PUBLIC_HOST] = (expires_at.timestamp() - time.time()) / DAY_S
    return found
