"""Who else may use a mailbox."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.accounts import Account


class MailboxGrant(models.Model):
    """`grantee` may use the mailbox of `owner` at `level`."""

    class Level(models.TextChoices):
        READER = "reader", _("Read only")
        EDITOR = "editor", _("Read and change")
        SENDER = "sender", _("Read, change and send as")

    owner = models.ForeignKey(Account, models.CASCADE, related_name="grants", verbose_name=_("mailbox"))
    grantee = models.ForeignKey(Account, models.CASCADE, related_name="granted", verbose_name=_("granted to"))
    level = models.CharField(_("rights"), max_length=8, choices=Level.choices, default=Level.READER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("mailbox grant")
        verbose_name_plural = _("mailbox grants")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "grantee"], name="grant_once"),
            models.CheckConstraint(condition=~models.Q(owner=models.F("grantee")), name="grant_not_self"),
        ]

    def __str__(self) -> str:
        return f"{self.grantee_id} in {self.owner_id}: {self.level}"
