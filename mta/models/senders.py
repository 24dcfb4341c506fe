"""Senders that an account or a whole domain refuses or trusts (18.2.1 and 18.2.2 of the manual)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Domain


class ListedSender(models.Model):
    """An address or a domain on a black or white list; of one account, or (account empty) of everybody in a domain."""

    class Wish(models.TextChoices):
        """What shall happen to mail from there."""

        BLOCK = "block", _("Blacklist")
        SAFE = "safe", _("Whitelist")

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="listed_senders", verbose_name=_("domain"))
    account = models.ForeignKey(
        Account, models.CASCADE, null=True, blank=True, related_name="listed_senders", verbose_name=_("account")
    )
    pattern = models.CharField(_("address or domain"), max_length=254)
    """`wang@partner.test` or `partner.test` (with its subdomains), in the form of `accounts.addressing`."""
    wish = models.CharField(_("list"), max_length=8, choices=Wish.choices, default=Wish.BLOCK)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("listed sender")
        verbose_name_plural = _("blacklist and whitelist")
        ordering: ClassVar = ["pattern"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "pattern"], name="listed_sender_own"),
            models.UniqueConstraint(
                fields=["domain", "pattern"], condition=models.Q(account=None), name="listed_sender_company"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["domain"], condition=models.Q(account=None), name="listed_company")]

    def __str__(self) -> str:
        return self.pattern
