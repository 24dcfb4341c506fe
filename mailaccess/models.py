"""What mail programs ask to be remembered."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.prepared import Prepared


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


class PopSettings(models.Model):
    """What POP3 shows of an account's mail. No row means every default."""

    class Window(models.TextChoices):
        WEEK = "week", _("The last week")
        TWO_WEEKS = "two_weeks", _("Last two weeks")
        MONTH = "month", _("Last month")
        QUARTER = "quarter", _("Last three months")
        YEAR = "year", _("Last year")
        ALL = "all", _("All mail")

    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+", verbose_name=_("account")
    )
    window = models.CharField(_("POP3 receives"), max_length=10, choices=Window.choices, default=Window.WEEK)
    keeps_mail = models.BooleanField(_("POP3 may not delete mail of the web"), default=False)
    """Mail programs may not delete what the web shows: DELE is answered OK and takes nothing away."""
    with_monitored = models.BooleanField(_("POP3 receives monitored mail"), default=False)

    class Meta:
        verbose_name = _("POP3 settings")
        verbose_name_plural = _("POP3 settings")

    def __str__(self) -> str:
        return f"POP3 of {self.account_id}"

    @classmethod
    def of(cls, account_id: int) -> PopSettings:
        """The account's, or the defaults."""
        return POP_SETTINGS.first(account_id) or cls(account_id=account_id)


POP_SETTINGS = Prepared(lambda account_id: PopSettings.objects.filter(pk=account_id))
"""Every sign-in over POP3 asks for them."""


class Annotation(models.Model):
    """An entry of a mailbox's metadata, or of the server's as one account sees it (RFC 5464)."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    """Whose mailbox."""
    folder_id = models.BigIntegerField()
    """0: the server."""
    reader = models.BigIntegerField()
    """Whose private entry (an account's id), or 0 for everybody's."""
    name = models.CharField(max_length=200)
    value = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "folder_id", "reader", "name"], name="annotation_name")
        ]

    def __str__(self) -> str:
        return self.name


class MaildropLock(models.Model):
    """A POP3 session has a maildrop for itself (RFC 1939 4) while its lease lasts."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    token = models.CharField(max_length=32)
    until_s = models.BigIntegerField()

    def __str__(self) -> str:
        return f"maildrop of {self.account_id}"
