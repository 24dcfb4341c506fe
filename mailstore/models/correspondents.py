"""Whom a mailbox writes with: completion in the composer, known senders."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from mailstore.fields import PackedIdField


class Correspondent(models.Model):
    """One address that a mailbox has written to or heard from."""

    id = PackedIdField(primary_key=True)
    mailbox_id = models.BigIntegerField()
    address = models.CharField(max_length=320)
    name = models.CharField(max_length=200, blank=True)
    sort_key = models.CharField(max_length=200, blank=True)
    """Name in pinyin and initials, for completion."""
    sent_count = models.IntegerField(default=0)
    received_count = models.IntegerField(default=0)
    """Hours in which mail came from there."""
    last_us = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["mailbox_id", "address"], name="correspondent_address")
        ]
        indexes: ClassVar = [models.Index(fields=["mailbox_id", "last_us"], name="correspondent_recent")]
