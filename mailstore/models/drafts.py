"""Drafts: the composer's own state. The entry in 草稿箱 is a snapshot of it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from mailstore.fields import PackedIdField


class Draft(models.Model):
    """What a person is writing. `revision` rises with each save; a save that names an older one is refused."""

    class Mode(models.TextChoices):
        NEW = "new"
        REPLY = "reply"
        REPLY_ALL = "reply_all"
        FORWARD = "forward"

    id = PackedIdField(primary_key=True)
    mailbox_id = models.BigIntegerField()
    revision = models.IntegerField(default=0)
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.NEW)
    source_entry_id = PackedIdField(null=True)
    """The mail that is answered or forwarded."""
    identity = models.CharField(max_length=320)
    """The address it is sent from."""
    to = models.TextField(blank=True)
    cc = models.TextField(blank=True)
    bcc = models.TextField(blank=True)
    subject = models.TextField(blank=True)
    html = models.TextField(blank=True)
    text = models.TextField(blank=True)
    is_plain = models.BooleanField(default=False)
    options = models.JSONField(default=dict)
    """Footer flags: high_priority, receipt, save_to_sent …"""
    schedule_us = models.BigIntegerField(null=True)
    updated_us = models.BigIntegerField()
    snapshot_entry_id = PackedIdField(null=True)
    snapshot_us = models.BigIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["mailbox_id", "updated_us"], name="draft_list"),
            models.Index(fields=["snapshot_entry_id"], name="draft_snapshot"),
        ]


class DraftAttachment(models.Model):
    """A file of a draft, uploaded once and kept by its blob."""

    id = PackedIdField(primary_key=True)
    mailbox_id = models.BigIntegerField()
    draft_id = PackedIdField()
    blob_id = PackedIdField()
    position = models.IntegerField(default=0)
    filename = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120)
    size = models.BigIntegerField()
    content_id = models.CharField(max_length=120, blank=True)
    is_inline = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["draft_id", "position"], name="draft_attachments"),
            models.Index(fields=["blob_id"], name="draft_attachment_blob"),
        ]
