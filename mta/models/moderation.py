"""Mail to a list that waits for its approver."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Domain, Group


class HeldPost(models.Model):
    """One mail to one list. Its bytes are a blob while it waits; decided ones stay as rows until they expire, so that a
    link that is used again can say what happened."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Pending")
        RELEASED = "released", _("Approved")
        REFUSED = "refused", _("Rejected")
        EXPIRED = "expired", _("Expired")

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="+", verbose_name=_("domain"))
    group = models.ForeignKey(Group, models.CASCADE, related_name="held_posts", verbose_name=_("group"))
    address = models.CharField(_("group address"), max_length=320)
    """By which it was written to."""
    blob_id = models.BigIntegerField(db_index=True)
    trace_length = models.IntegerField()
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    envelope_from = models.CharField(_("envelope sender"), max_length=320, blank=True)
    sender_address = models.CharField(_("sender"), max_length=320, blank=True)
    subject = models.CharField(_("subject"), max_length=500, blank=True)
    preview = models.CharField(_("preview"), max_length=300, blank=True)
    size = models.BigIntegerField(_("size"))
    is_local = models.BooleanField(default=False)
    """Written by one of us, who may be told what came of it."""
    require_tls = models.BooleanField(default=False)
    created_at = models.DateTimeField(_("received at"))
    expires_at = models.DateTimeField(_("kept until"))
    decided_by = models.CharField(_("decided by"), max_length=320, blank=True)

    class Meta:
        verbose_name = _("mail waiting for approval")
        verbose_name_plural = _("mail waiting for approval")
        ordering: ClassVar = ["-created_at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], name="held_post_expires"),
            models.Index(fields=["domain", "state", "-created_at"], name="held_post_domain"),
        ]

    def __str__(self) -> str:
        return self.subject or self.sender_address
