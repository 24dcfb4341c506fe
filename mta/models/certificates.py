"""TLS certificates of hosts, and what ACME needs to get them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Domain


class HostCertificate(models.Model):
    """The certificate that servers show to who names this host (SNI)."""

    class Source(models.TextChoices):
        """Who sees to it that it is renewed."""

        UPLOAD = "upload", _("Uploaded")
        ACME = "acme", _("ACME (renewed by itself)")

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="certificates", verbose_name=_("domain"))
    host = models.CharField(_("host"), max_length=255, unique=True)
    chain = models.TextField(_("certificate chain"))
    """PEM, the host's own first."""
    key = models.BinaryField()
    """PEM, encrypted (core.crypto)."""
    issuer = models.CharField(_("issuer"), max_length=255, blank=True)
    begins_at = models.DateTimeField(_("valid from"))
    expires_at = models.DateTimeField(_("valid until"))
    source = models.CharField(_("source"), max_length=8, choices=Source.choices, default=Source.UPLOAD)
    told_days = models.IntegerField(default=1000)
    """The smallest number of days left of which administrators were told."""
    changed_us = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")
        ordering: ClassVar = ["host"]

    def __str__(self) -> str:
        return self.host


class AcmeAccount(models.Model):
    """Our account with an ACME server (RFC 8555 7.3)."""

    directory = models.CharField(primary_key=True, max_length=255)
    key = models.BinaryField()
    """Private JWK as JSON, encrypted (core.crypto)."""
    uri = models.CharField(max_length=500)


class AcmeChallenge(models.Model):
    """What /.well-known/acme-challenge/TOKEN says (RFC 8555 8.3), while an order is under way."""

    token = models.CharField(primary_key=True, max_length=128)
    answer = models.CharField(max_length=300)
    created_us = models.BigIntegerField(db_index=True)


class AcmeFailure(models.Model):
    """When a certificate could not be had last, and why: so that it is not tried over and over."""

    host = models.CharField(primary_key=True, max_length=255)
    text = models.CharField(max_length=500)
    failed_us = models.BigIntegerField()
