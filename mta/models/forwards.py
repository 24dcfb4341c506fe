"""Automatic forwarding (18.1.7 of the manual): where to, and what went there."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account


class ForwardTarget(models.Model):
    """An address that an account may forward to: one of ours, or one whose owner has said yes."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="forward_targets", verbose_name=_("account"))
    address = models.CharField(_("address"), max_length=320)
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)

    class Meta:
        verbose_name = _("address to forward to")
        verbose_name_plural = _("addresses to forward to")
        ordering: ClassVar = ["account__address", "address"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "address"], name="forward_target_once")]

    def __str__(self) -> str:
        return self.address


class AutoForward(models.Model):
    """Every mail of an account goes on to another address."""

    account = models.OneToOneField(
        Account, models.CASCADE, primary_key=True, related_name="auto_forward", verbose_name=_("account")
    )
    target = models.ForeignKey(ForwardTarget, models.CASCADE, related_name="+", verbose_name=_("forward to"))
    is_active = models.BooleanField(_("on"), default=True)
    keeps_copy = models.BooleanField(_("keep forwarded mail in the mailbox"), default=True)

    class Meta:
        verbose_name = _("automatic forwarding")
        verbose_name_plural = _("automatic forwarding")
        ordering: ClassVar = ["account__address"]

    def __str__(self) -> str:
        return self.account.address


class Forwarded(models.Model):
    """A submission that forwards: whose mail it is, and whether he has it."""

    submission = models.OneToOneField("mta.Submission", models.CASCADE, primary_key=True, related_name="+")
    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    is_kept = models.BooleanField()

    def __str__(self) -> str:
        return f"{self.submission_id} of {self.account_id}"
