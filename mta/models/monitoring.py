"""邮件监控 (18.4.2 of the manual): whose mail somebody else sees a copy of, by whose will, and where it lies."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Department, Domain


class MonitorRule(models.Model):
    """A rule of the domain's administrator. Everybody in `accounts` and `departments` (with those below) is a target, or
    the whole domain; `monitors` get the copies, never of their own mail."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="monitor_rules", verbose_name=_("domain"))
    name = models.CharField(_("name"), max_length=100)
    is_active = models.BooleanField(_("on"), default=True)
    monitors = models.ManyToManyField(Account, related_name="monitors_by", verbose_name=_("monitors"))
    whole_domain = models.BooleanField(_("everybody in the domain"), default=False)
    accounts = models.ManyToManyField(
        Account, blank=True, related_name="monitored_by", verbose_name=_("monitored accounts")
    )
    departments = models.ManyToManyField(
        Department, blank=True, related_name="monitored_by", verbose_name=_("monitored departments")
    )
    from_inside = models.BooleanField(_("received from inside"), default=True)
    from_outside = models.BooleanField(_("received from outside"), default=True)
    to_inside = models.BooleanField(_("sent to people inside"), default=True)
    to_outside = models.BooleanField(_("sent to people outside"), default=True)
    with_attachment = models.BooleanField(_("only with attachments"), default=False)
    min_size_kb = models.PositiveIntegerField(_("only from this size (KB)"), default=0)
    keywords = models.TextField(
        _("only with one of these words"),
        blank=True,
        help_text=_("One a line, in the subject or the text. Empty: all mail."),
    )
    begins_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("monitoring rule")
        verbose_name_plural = _("monitoring rules")
        ordering: ClassVar = ["domain__name", "name"]
        indexes: ClassVar = [
            models.Index(fields=["domain"], condition=models.Q(is_active=True), name="monitor_rule_active")
        ]

    def __str__(self) -> str:
        return self.name


class MonitoredFolder(models.Model):
    """Where the copies of one person's mail lie in one monitor's mailbox. Outlives the rule: the copies stay."""

    monitor = models.ForeignKey(Account, models.CASCADE, related_name="+")
    target = models.ForeignKey(Account, models.CASCADE, related_name="+")
    folder_id = models.BigIntegerField(unique=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["monitor", "target"], name="monitored_folder_once")]

    def __str__(self) -> str:
        return f"{self.target_id} for {self.monitor_id}"
