"""What the mail pages themselves remember."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class ImageSender(models.Model):
    """A sender whose remote pictures an account always shows."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    address = models.CharField(max_length=320)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "address"], name="image_sender")]

    def __str__(self) -> str:
        return self.address
