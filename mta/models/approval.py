"""发信审批: which mail somebody must agree to before it leaves, and what was decided."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Department, Domain
from mta.models.outgoing import Submission


class ApprovalRule(models.Model):
    """Whose mail, and which of it: every condition that is filled in must hold. The first rule by position that fits asks
    its approver. A rule whose named accounts and departments are all gone speaks of nobody, not of everybody."""

    class Authors(models.TextChoices):
        ALL = "all", _("Everybody")
        NAMED = "named", _("Accounts and departments named here")

    class Direction(models.TextChoices):
        ANY = "any", _("To anybody")
        INTERNAL = "internal", _("To colleagues")
        EXTERNAL = "external", _("To people outside")

    class OnDeadline(models.TextChoices):
        PASS = "pass", _("Send it")
        REFUSE = "refuse", _("Refuse it")

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="approval_rules", verbose_name=_("domain"))
    name = models.CharField(_("name"), max_length=80)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)
    authors = models.CharField(_("whose mail"), max_length=8, choices=Authors.choices, default=Authors.ALL)
    accounts = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="+", blank=True, verbose_name=_("accounts")
    )
    departments = models.ManyToManyField(
        Department,
        related_name="+",
        blank=True,
        verbose_name=_("departments"),
        help_text=_("With the departments below them."),
    )
    exceptions = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="+", blank=True, verbose_name=_("except")
    )
    direction = models.CharField(_("direction"), max_length=8, choices=Direction.choices, default=Direction.EXTERNAL)
    recipient_domains = models.TextField(_("recipient domains"), blank=True, help_text=_("One in a line."))
    keywords = models.TextField(
        _("keywords"), blank=True, help_text=_("One in a line; looked for in subject, text and names of files.")
    )
    file_types = models.CharField(
        _("attachment types"), max_length=200, blank=True, help_text=_("Such as: xlsx, pdf. * for any attachment.")
    )
    min_size_kb = models.PositiveIntegerField(_("at least so large (KB)"), default=0)
    min_recipients = models.PositiveIntegerField(_("at least so many recipients"), default=0)
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("approver"))
    substitute = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("substitute"),
        help_text=_("May decide as well, and decides what the approver has sent himself."),
    )
    remind_after_h = models.PositiveSmallIntegerField(_("reminder after (hours)"), default=4, help_text=_("0: none"))
    deadline_h = models.PositiveSmallIntegerField(_("deadline (hours)"), default=48, help_text=_("0: none"))
    on_deadline = models.CharField(
        _("at the deadline"), max_length=8, choices=OnDeadline.choices, default=OnDeadline.REFUSE
    )

    class Meta:
        verbose_name = _("approval rule")
        verbose_name_plural = _("approval rules")
        ordering: ClassVar = ["position", "id"]
        indexes: ClassVar = [models.Index(fields=["domain", "is_active"], name="approval_rule_active")]

    def __str__(self) -> str:
        return self.name


class Approval(models.Model):
    """One mail that waits or waited for somebody. What the log shows is copied: it outlives rules and people."""

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        PASSED = "passed", _("Approved by time-out")
        EXPIRED = "expired", _("Rejected by time-out")

    submission = models.OneToOneField(Submission, models.SET_NULL, null=True, related_name="approval")
    """None once the mail itself is forgotten (`mta.services.retention`); never while it waits."""
    domain_id = models.BigIntegerField()
    sender_id = models.BigIntegerField()
    """The mailbox it is sent from."""
    sender = models.CharField(_("sender"), max_length=320)
    recipients = models.CharField(_("recipients"), max_length=500)
    """The first of them."""
    recipient_count = models.PositiveIntegerField(_("number of recipients"))
    subject = models.CharField(_("subject"), max_length=500)
    size_bytes = models.BigIntegerField(_("size"))
    rule_name = models.CharField(_("rule"), max_length=80)
    approver_id = models.BigIntegerField()
    substitute_id = models.BigIntegerField(default=0)
    approver = models.CharField(_("approver"), max_length=320)
    """Address of who is asked; once decided, of who decided."""
    state = models.CharField(_("approval status"), max_length=10, choices=State.choices, default=State.PENDING)
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    requested_us = models.BigIntegerField()
    decided_us = models.BigIntegerField(null=True)
    remind_us = models.BigIntegerField(default=0)
    """When the approver is reminded; 0: not (any more)."""
    deadline_us = models.BigIntegerField(default=0)
    on_deadline = models.CharField(max_length=8, choices=ApprovalRule.OnDeadline.choices)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        indexes: ClassVar = [
            models.Index(fields=["sender_id", "-requested_us"], name="approval_of_sender"),
            models.Index(fields=["approver_id", "-requested_us"], name="approval_of_approver"),
            models.Index(fields=["substitute_id", "-requested_us"], name="approval_of_substitute"),
            models.Index(fields=["domain_id", "-requested_us"], name="approval_of_domain"),
            models.Index(fields=["requested_us"], condition=models.Q(state="pending"), name="approval_pending"),
        ]

    def __str__(self) -> str:
        return self.subject or self.sender
