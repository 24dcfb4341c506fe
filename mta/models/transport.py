"""How mail leaves: smart hosts of domains, other domains' TLS policies, and what became of TLS."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Domain
from mta.models.daily import DailyCount


class SmartHost(models.Model):
    """The server that carries all outside mail of a domain."""

    class Encryption(models.TextChoices):
        """How the connection is encrypted; the certificate must be valid, except with `NONE`."""

        STARTTLS = "starttls", _("STARTTLS")
        TLS = "tls", _("SSL/TLS")
        NONE = "none", _("None (a network of your own)")

    domain = models.OneToOneField(
        Domain, models.CASCADE, primary_key=True, related_name="smart_host", verbose_name=_("domain")
    )
    host = models.CharField(_("server"), max_length=255)
    port = models.PositiveIntegerField(_("port"), default=587)
    encryption = models.CharField(
        _("encryption"), max_length=8, choices=Encryption.choices, default=Encryption.STARTTLS
    )
    username = models.CharField(_("user name"), max_length=255, blank=True)
    secret = models.BinaryField(blank=True, default=b"")
    """The password, encrypted (core.crypto)."""
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("smart host")
        verbose_name_plural = _("smart hosts")
        ordering: ClassVar = ["domain__name"]

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class StsPolicy(models.Model):
    """A domain's MTA-STS policy as it was fetched (RFC 8461 3.3), or when fetching failed last."""

    domain = models.CharField(primary_key=True, max_length=255)
    policy_id = models.CharField(max_length=32, blank=True)
    mode = models.CharField(max_length=8, blank=True)
    mx = models.JSONField(default=list)
    expires_us = models.BigIntegerField(default=0)
    failed_us = models.BigIntegerField(default=0)


class TlsOutcome(DailyCount):
    """Connections of one day to one domain that came to the same (RFC 8460 4.3, 4.4); `facts` are a
    `mta.tls_reports.observed.Seen`."""

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["day", "domain", "digest"], name="tls_outcome_once")]
