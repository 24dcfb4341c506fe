"""What the administrator lets mail programs do."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.accounts import Account
from accounts.models.domains import Domain


class ProgramRule(models.Model):
    """Which protocols programs may use, and from where: of one account, or of every account of a domain that has no
    rule of its own. Without any rule everything is allowed."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="+", verbose_name=_("domain"))
    account = models.OneToOneField(
        Account, models.CASCADE, null=True, blank=True, related_name="program_rule", verbose_name=_("account")
    )
    """None: the whole domain."""
    imap = models.BooleanField("IMAP", default=True)
    pop3 = models.BooleanField("POP3", default=True)
    smtp = models.BooleanField(_("SMTP (sending)"), default=True)
    networks = models.TextField(
        _("only from these addresses"),
        blank=True,
        help_text=_("One IP address or network (such as 203.0.113.0/24) a line. Empty: from anywhere."),
    )

    class Meta:
        verbose_name = _("rule for mail programs")
        verbose_name_plural = _("rules for mail programs")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["domain"], condition=models.Q(account=None), name="program_rule_of_domain")
        ]

    def __str__(self) -> str:
        return self.account.address if self.account else self.domain.name
