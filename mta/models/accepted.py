"""What was committed and perhaps never answered, so that a repeat is recognised (24 hours)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Accepted(models.Model):
    """SHA-256 of received bytes and envelope, written in the transaction that stored the mail.

    RFC 5321 4.5.3.2.6 and RFC 1047: a client whose 250 was lost sends again; it gets 250 and no second copy.
    """

    digest = models.BinaryField(max_length=32)
    at_us = models.BigIntegerField(db_index=True)
    answered = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["digest"], name="accepted_digest")]
