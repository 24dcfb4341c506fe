"""What an account may do beside what mail programs may (A21.3): sign in to the pages, write to and hear from the outside,
and how much at a time."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.accounts import Account


class AccountRights(models.Model):
    """Of one account. Without a row everything is allowed, within the domain's limits."""

    account = models.OneToOneField(
        Account, models.CASCADE, primary_key=True, related_name="rights", verbose_name=_("account")
    )
    web = models.BooleanField(_("sign in to the webmail"), default=True)
    networks = models.TextField(
        _("webmail only from these addresses"),
        blank=True,
        help_text=_("One IP address or network (such as 203.0.113.0/24) a line. Empty: from anywhere."),
    )
    sends_outside = models.BooleanField(_("write to people outside"), default=True)
    receives_outside = models.BooleanField(_("receive mail from outside"), default=True)
    max_recipients = models.PositiveIntegerField(
        _("recipients of one mail"),
        null=True,
        blank=True,
        help_text=_("Cc and Bcc included. Empty: the domain's limit."),
    )
    message_max_bytes = models.BigIntegerField(_("size of a mail (bytes)"), null=True, blank=True)
    attachment_max_bytes = models.BigIntegerField(_("size of an attachment (bytes)"), null=True, blank=True)

    class Meta:
        verbose_name = _("rights of an account")
        verbose_name_plural = _("rights of accounts")
        ordering: ClassVar = ["account__address"]

    def __str__(self) -> str:
        return self.account.address

    @classmethod
    def of(cls, account_id: int) -> AccountRights:
        """The account's, or the defaults. One query."""
        return cls.objects.filter(pk=account_id).first() or cls(account_id=account_id)
