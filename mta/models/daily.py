"""What was seen on one day about one other domain, to be told it the next day."""

from __future__ import annotations

from django.db import models


class DailyCount(models.Model):
    """What looked the same on one day to a report about `domain`; deleted when it has been reported. Each kind has a
    unique constraint on (day, domain, digest)."""

    day = models.DateField()
    """UTC, as report periods are."""
    domain = models.CharField(max_length=255)
    """Whom the report is about, where the record was found that asks for it."""
    digest = models.BinaryField(max_length=32)
    """Of `facts`: the same again counts on."""
    facts = models.JSONField()
    count = models.BigIntegerField()

    class Meta:
        abstract = True
