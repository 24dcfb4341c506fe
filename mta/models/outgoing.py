"""Submissions and their deliveries: the outgoing queue. These rows are the truth; tasks only wake."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Submission(models.Model):
    """One message handed over for sending, with its envelope sender and its bytes."""

    class Origin(models.TextChoices):
        WEB = "web", _("Webmail")
        SMTP = "smtp", _("Mail program")
        SYSTEM = "system", _("System")

    mailbox_id = models.BigIntegerField()
    """Whose mail it is; the domain's system account for mail without a person."""
    domain_id = models.BigIntegerField()
    """Of the mailbox, for those who administer it."""
    actor_id = models.BigIntegerField()
    origin = models.CharField(_("sent by"), max_length=8, choices=Origin.choices)
    envelope_from = models.CharField(_("sender"), max_length=320, blank=True)
    message_id = models.CharField(max_length=250)
    queue_id = models.CharField(max_length=32, blank=True)
    """Its name in Received lines and in every line of the log."""
    subject = models.CharField(_("subject"), max_length=500)
    sent_blob_id = models.BigIntegerField(null=True)
    """The sender's copy, Bcc included."""
    wire_blob_id = models.BigIntegerField()
    """What is sent: without Bcc."""
    sent_entry_id = models.BigIntegerField(null=True)
    draft_id = models.BigIntegerField(null=True)
    is_gated = models.BooleanField(default=False)
    """Nothing of it has left its author: undo, approval or schedule holds it, and its draft can be had back."""
    release_us = models.BigIntegerField(default=0)
    """When the undo time is over; once a gate has been passed, when it was handed over."""
    schedule_us = models.BigIntegerField(default=0)
    """The moment its author chose for sending; 0: at once."""
    is_followed = models.BooleanField(default=False)
    """Its author may ask what became of it (18.4.3 of the manual)."""
    local_hash = models.BinaryField(max_length=32, null=True)
    """SHA-256 of what lies in local mailboxes, the trace included: by it a recall finds every copy."""
    created_us = models.BigIntegerField()
    returned = models.CharField(max_length=4, blank=True)
    """How much of the mail its reports hold (RFC 3461 4.3): FULL, HDRS or empty for the header."""
    envelope_id = models.CharField(max_length=100, blank=True)
    """The sender's name for it (RFC 3461 4.4), in xtext."""
    require_tls = models.BooleanField(default=False)
    """Only over encrypted connections to servers that keep it so (RFC 8689)."""
    is_individual = models.BooleanField(default=False)
    """群发单显: every recipient gets a copy of his own (`mta.individual`); the stored bytes name none of them."""

    is_verp = models.BooleanField(default=False)
    """Every recipient gets it under an envelope sender of his own (`mta.returns`), though the bytes are the same: a list's
    members elsewhere."""

    class Meta:
        verbose_name = _("sent mail")
        verbose_name_plural = _("sent mails")
        indexes: ClassVar = [
            models.Index(fields=["domain_id", "-created_us", "-id"], name="submission_of_domain"),
            models.Index(fields=["sent_blob_id"], name="submission_sent_blob"),
            models.Index(fields=["wire_blob_id"], name="submission_wire_blob"),
            models.Index(fields=["queue_id"], name="submission_queue_id"),
            models.Index(fields=["mailbox_id", "created_us", "id"], name="submission_of_mailbox"),
            models.Index(fields=["mailbox_id", "message_id"], name="submission_message"),
            models.Index(
                fields=["sent_entry_id"], condition=models.Q(sent_entry_id__isnull=False), name="submission_sent_entry"
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["draft_id"], condition=models.Q(is_gated=True, draft_id__isnull=False), name="submission_draft"
            )
        ]

    def __str__(self) -> str:
        return self.subject or self.envelope_from

    @property
    def goes_one_by_one(self) -> bool:
        """Whether what comes back for a recipient says whose it is; then no two share a transaction."""
        return self.is_individual or self.is_verp


class Delivery(models.Model):
    """One recipient of a submission and how far it has come."""

    class State(models.TextChoices):
        HELD = "held", _("Held for undo")
        APPROVAL = "approval", _("Awaiting approval")
        SCHEDULED = "scheduled", _("Scheduled")
        QUEUED = "queued", _("Queued")
        SENDING = "sending", _("Sending")
        DEFERRED = "deferred", _("Will be retried")
        DELIVERED = "delivered", _("Delivered to mailbox")
        ACCEPTED = "accepted", _("Accepted by remote server")
        BOUNCED = "bounced", _("Bounced")
        RECALLED = "recalled", _("Recalled")
        CANCELLED = "cancelled", _("Cancelled")

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="deliveries")
    mailbox_id = models.BigIntegerField(default=0)
    """The submission's, for the list of what waits; 0 for mail that no person sent."""
    recipient = models.CharField(_("recipient"), max_length=320)
    domain = models.CharField(max_length=255)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    blob_id = models.BigIntegerField(null=True)
    """This recipient's own bytes, when they differ."""
    tries = models.IntegerField(_("attempts"), default=0)
    next_attempt_us = models.BigIntegerField(default=0)
    claimed_until_us = models.BigIntegerField(default=0)
    """A worker that claimed the row and died gives it back when this is over."""
    code = models.CharField(max_length=12, blank=True)
    """Enhanced status code (RFC 3463)."""
    text = models.CharField(max_length=500, blank=True)
    remote_host = models.CharField(max_length=255, blank=True)
    updated_us = models.BigIntegerField()
    on_hold = models.BooleanField(default=False)
    """It is never due: an administrator keeps it here, its account is stopped, or (before a gate) its account was suspended
    or expired when the gate was to open (`mta.services.keeping`)."""
    delay_told = models.BooleanField(default=False)
    """Its author knows that it is late (RFC 3461 4.1)."""
    notify = models.CharField(max_length=30, blank=True)
    """What of this recipient the sender wants told (RFC 3461 4.1); empty: failures."""
    original = models.CharField(max_length=500, blank=True)
    """ORCPT (RFC 3461 4.2)."""
    name = models.CharField(max_length=200, blank=True)
    """How the author calls him, where each recipient has a copy of his own."""
    local_hash = models.BinaryField(max_length=32, null=True)
    """SHA-256 of that copy in local mailboxes, the trace included."""

    class Meta:
        verbose_name = _("delivery in the queue")
        verbose_name_plural = _("outgoing queue")
        constraints: ClassVar = [models.UniqueConstraint(fields=["submission", "recipient"], name="delivery_once")]
        indexes: ClassVar = [
            models.Index(
                fields=["next_attempt_us"],
                condition=models.Q(state__in=["held", "scheduled", "queued", "sending", "deferred"]),
                name="delivery_due",
            ),
            models.Index(
                fields=["next_attempt_us"],
                condition=models.Q(state__in=["held", "scheduled"]),
                name="delivery_release",
            ),
            models.Index(fields=["blob_id"], condition=models.Q(blob_id__isnull=False), name="delivery_blob"),
            models.Index(
                fields=["mailbox_id", "submission"],
                condition=models.Q(state__in=["held", "approval", "scheduled", "queued", "sending", "deferred"]),
                name="delivery_open",
            ),
        ]

    def __str__(self) -> str:
        return self.recipient


GATED = (Delivery.State.HELD, Delivery.State.APPROVAL, Delivery.State.SCHEDULED)
"""Nothing has left its author yet."""
KEPT = models.Q(state__in=GATED, on_hold=True)
"""Its account was suspended or expired when the gate was to open."""
OPEN = (*GATED, Delivery.State.QUEUED, Delivery.State.SENDING, Delivery.State.DEFERRED)
"""What the index `delivery_open` holds: everything whose end is not known."""
