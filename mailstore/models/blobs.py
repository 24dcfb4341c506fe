"""Stored bytes, one row for each different content."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Codec(models.IntegerChoices):
    """How `data` (or the object under `key`) is encoded."""

    RAW = 0
    ZSTD = 1
    ZSTD_DICTIONARY = 2


class Blob(models.Model):
    """Bytes by their SHA-256: compressed in the row up to 256 KB, in the blob store above.

    Nothing counts references: whoever may hold a blob is listed in `mailstore.blobs.HOLDERS`, and what no holder
    has is collected after a grace time since `touched_s`.
    """

    id = models.BigAutoField(primary_key=True)
    sha256 = models.BinaryField(max_length=32)
    size = models.BigIntegerField()
    """Length of the content, uncompressed."""
    codec = models.SmallIntegerField(choices=Codec.choices)
    dictionary = models.IntegerField(default=0)
    data = models.BinaryField(null=True)
    key = models.CharField(max_length=80, blank=True)
    touched_s = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["sha256"], name="blob_sha256")]


class Dictionary(models.Model):
    """What zstd knows before it reads a frame that names this id. Never changed, never deleted."""

    id = models.IntegerField(primary_key=True)
    data = models.BinaryField()
    trained_s = models.BigIntegerField()
    blobs = models.BigIntegerField()
    """How many there were to choose from."""
    gain = models.FloatField()
    """The part of the compressed bytes that it saved on mails it had not seen."""
