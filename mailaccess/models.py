"""What mail programs ask to be remembered."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class Subscription(models.Model):
    """A name that an account subscribed to (RFC 9051 6.3.7); it may name a mailbox that is gone."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(max_length=1_000)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "name"], name="subscription_name")]

    def __str__(self) -> str:
        return self.name


class SubscriptionList(models.Model):
    """An account has a list of its own; without one everything of its own counts as subscribed."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")

    def __str__(self) -> str:
        return f"subscriptions of {self.account_id}"
