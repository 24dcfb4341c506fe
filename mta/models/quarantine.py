"""Mail that was put aside for seven days instead of being delivered."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Domain


class QuarantinedMail(models.Model):
    """One mail for one account. Its bytes are a blob; released and deleted ones stay as rows until they expire, so that
    a link that is used again can say what happened."""

    class Kind(models.TextChoices):
        SPAM = "spam", _("Spam")
        VIRUS = "virus", _("Virus")
        FILE = "file", _("Dangerous attachment")
        BLOCKED = "blocked", _("Blocked sender")
        REJECTED = "rejected", _("Rejected by a filter")

    class State(models.TextChoices):
        HELD = "held", _("In quarantine")
        RELEASED = "released", _("Released")
        DELETED = "deleted", _("Deleted")

    domain = models.ForeignKey(
        Domain, models.CASCADE, related_name="quarantined", verbose_name=_("domain"), db_constraint=False
    )
    account = models.ForeignKey(
        Account, models.CASCADE, related_name="quarantined", verbose_name=_("account"), db_constraint=False
    )
    blob_id = models.BigIntegerField(db_index=True)
    trace_length = models.IntegerField()
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.HELD)
    decided_us = models.BigIntegerField(default=0, db_default=0)
    """When its state was last changed: an Undo takes back that decision, not a later one of somebody else."""
    judgement = models.TextField(blank=True)
    """A `mta.spam.finding.Judged`, encoded."""
    envelope_from = models.CharField(_("envelope sender"), max_length=320, blank=True)
    matched_address = models.CharField(max_length=320, blank=True)
    sender_name = models.CharField(max_length=200, blank=True)
    sender_address = models.CharField(_("sender"), max_length=320, blank=True)
    subject = models.CharField(_("subject"), max_length=500, blank=True)
    size = models.BigIntegerField(_("size"))
    received_at = models.DateTimeField(_("received at"))
    expires_at = models.DateTimeField(_("kept until"))
    reported = models.BooleanField(default=False)
    """Whether a digest has listed it."""
    require_tls = models.BooleanField(default=False)
    """Where its recipient's rules forward it to when it is released, it must stay encrypted (RFC 8689)."""

    class Meta:
        verbose_name = _("quarantined mail")
        verbose_name_plural = _("quarantine")
        ordering: ClassVar = ["-received_at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["account", "state", "-received_at", "-id"], name="quarantine_account"),
            models.Index(fields=["domain", "state", "-received_at", "-id"], name="quarantine_domain"),
            models.Index(fields=["expires_at"], name="quarantine_expires"),
            models.Index(
                fields=["account", "received_at"],
                condition=models.Q(reported=False, state="held"),
                name="quarantine_unreported",
            ),
        ]

    def __str__(self) -> str:
        return self.subject or self.sender_address


class SentDigest(models.Model):
    """That an account has had its report of a day; written in the transaction that stores the report."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_constraint=False)
    day = models.DateField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "day"], name="sent_digest_once")]
