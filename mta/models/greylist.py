"""Who was asked to come again, and who did (RFC 6647)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Greylisted(models.Model):
    """A stranger's (address block, sender, recipient) as a digest, or an address block that has proved itself."""

    digest = models.BinaryField(primary_key=True, max_length=32)
    first_us = models.BigIntegerField()
    seen_us = models.BigIntegerField()
    passes = models.IntegerField(default=0)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["seen_us"], name="greylist_seen")]
