"""Keys by which a domain's mail is signed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Domain


class DkimKey(models.Model):
    """One key pair of a domain (RFC 6376). The private half is encrypted by the key ring."""

    class Kind(models.TextChoices):
        RSA = "rsa", "RSA"
        ED25519 = "ed25519", "Ed25519"

    class State(models.TextChoices):
        """`waiting`: not signing until its record is found in the DNS; `retired`: signs no more, its record is still
        needed by mail that is under way."""

        WAITING = "waiting", _("Waiting for its DNS record")
        ACTIVE = "active", _("Signing")
        RETIRED = "retired", _("Retired")

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="dkim_keys", verbose_name=_("domain"))
    selector = models.CharField(_("selector"), max_length=63)
    kind = models.CharField(_("kind of key"), max_length=8, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.ACTIVE)
    private = models.BinaryField()
    """PKCS #8, DER, encrypted for the purpose `dkim`."""
    public_record = models.TextField(_("DNS record"))
    """The TXT record at `selector._domainkey`."""
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    retired_at = models.DateTimeField(_("retired at"), null=True)

    class Meta:
        verbose_name = _("DKIM key")
        verbose_name_plural = _("DKIM keys")
        ordering: ClassVar = ["domain__name", "-created_at", "selector"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["domain", "selector"], name="dkim_selector")]

    def __str__(self) -> str:
        return f"{self.selector}._domainkey.{self.domain.name}"
