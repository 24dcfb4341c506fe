"""What the mail pages themselves remember."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ImageSender(models.Model):
    """A sender whose remote pictures an account always shows."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    address = models.CharField(max_length=320)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "address"], name="image_sender")]

    def __str__(self) -> str:
        return self.address


class Display(models.Model):
    """How an account likes its mail pages. No row means every default."""

    class Theme(models.TextChoices):
        AUTO = "auto", _("As the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    class Pane(models.TextChoices):
        """Where an opened mail is shown."""

        RIGHT = "right", _("Right")
        BELOW = "below", _("Below")
        OFF = "off", _("Off")

    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    theme = models.CharField(max_length=5, choices=Theme.choices, default=Theme.AUTO)
    pane = models.CharField(max_length=5, choices=Pane.choices, default=Pane.RIGHT)
    page_size = models.PositiveSmallIntegerField(default=50)
    conversations = models.BooleanField(default=False)
    """Whether lists by date show conversations."""
    sorts = models.JSONField(default=dict)
    """Order of the folders that are not by date, by id (text): `sender`, `-size` …"""

    def __str__(self) -> str:
        return f"display of {self.account_id}"
