"""Automatic replies (18.1.6 of the manual), and who has had one."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account


class AutoReply(models.Model):
    """What an account answers by itself, mostly in its holidays."""

    account = models.OneToOneField(
        Account, models.CASCADE, primary_key=True, related_name="auto_reply", verbose_name=_("account")
    )
    is_active = models.BooleanField(_("on"), default=True)
    begins_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    text = models.TextField(_("text"))
    outside_text = models.TextField(_("text for people outside"), blank=True)
    """Empty: the same."""
    answers_outside = models.BooleanField(_("answer people outside too"), default=True)
    every_days = models.PositiveSmallIntegerField(_("each sender once in so many days"), default=7)

    class Meta:
        verbose_name = _("automatic reply")
        verbose_name_plural = _("automatic replies")
        ordering: ClassVar = ["account__address"]

    def __str__(self) -> str:
        return self.account.address


class AutoReplied(models.Model):
    """When a sender had an account's automatic reply last."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    sender_hash = models.BigIntegerField()
    at_us = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "sender_hash"], name="auto_replied_once")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.sender_hash}"
