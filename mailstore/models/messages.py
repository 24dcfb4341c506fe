"""Messages: what was parsed once from bytes that never change."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from mailstore.fields import PackedIdField


class Message(models.Model):
    """One stored message of one mailbox, immutable. An entry places it in a folder."""

    id = PackedIdField(primary_key=True)
    mailbox_id = models.BigIntegerField()
    blob_id = PackedIdField()
    size = models.BigIntegerField()
    """RFC822.SIZE: trace block and received bytes."""
    trace_length = models.IntegerField()
    """Bytes that this system put in front; the original is the slice after them."""
    header_length = models.IntegerField()
    sent_us = models.BigIntegerField(null=True)
    received_us = models.BigIntegerField()
    sender_name = models.CharField(max_length=200)
    sender_address = models.CharField(max_length=320)
    recipients = models.CharField(max_length=200)
    """Who it is to, short, for lists of sent mail."""
    subject = models.CharField(max_length=500)
    preview = models.CharField(max_length=160)
    attributes = models.IntegerField()
    """Bits of `mailstore.message.scan.Attribute`."""
    message_id_hash = models.BigIntegerField(null=True)
    ancestors = models.TextField(null=True)
    """Hashes of the ids in References, or of In-Reply-To's first, oldest first, 16 hexadecimal digits each (RFC 5256,
    REFERENCES). None for a message stored by an earlier version: its bytes know."""
    envelope = models.TextField()
    bodystructure = models.TextField()
    parts = models.TextField()
    parser_version = models.SmallIntegerField()
    judgement = models.TextField(null=True)
    """What was found out about it when it came, as the layer that judged it wrote it; None: nothing to tell."""

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["mailbox_id", "message_id_hash"], name="message_id_hash"),
            models.Index(fields=["blob_id"], name="message_blob"),
        ]
