"""The append-only record of what happened: sign-ins, deliveries, fetches, approvals, administrative acts.

Plain ids and copied addresses, no foreign keys: a record outlives what it speaks of.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """What happened. Retention goes by kind."""

    SIGN_IN = "sign_in", _("Sign-in")
    DELIVERY = "delivery", _("Delivery")
    RECEIVED = "received", _("Received")
    REFUSED = "refused", _("Refused")
    DELETION = "deletion", _("Deletion")
    APPROVAL = "approval", _("Approval")
    ADMIN = "admin", _("Administrative act")
    GRANT_USE = "grant_use", _("Use of another mailbox")
    MONITOR_VIEW = "monitor_view", _("View of monitored mail")


class Event(models.Model):
    """One thing that happened. `data` holds what only this kind has."""

    at = models.DateTimeField(_("time"), db_index=True)
    kind = models.CharField(_("kind of event"), max_length=16, choices=Kind.choices)
    domain_id = models.BigIntegerField(null=True)
    account_id = models.BigIntegerField(null=True)
    address = models.CharField(_("address"), max_length=320, blank=True)
    """The account's address as it was then."""
    actor = models.CharField(_("done by"), max_length=320, blank=True)
    """Who did it, when it was not the account itself."""
    protocol = models.CharField(_("protocol"), max_length=16, blank=True)
    remote_address = models.GenericIPAddressField(_("IP address"), null=True)
    succeeded = models.BooleanField(_("succeeded"), default=True)
    error = models.CharField(_("error message"), max_length=200, blank=True)
    data = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes: ClassVar = [
            models.Index(fields=["account_id", "kind", "-at"], name="event_account"),
            models.Index(fields=["domain_id", "kind", "-at"], name="event_domain"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.address}".strip()
