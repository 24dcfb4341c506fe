"""Conversations, by References and In-Reply-To (RFC 5256), never by subject alone."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from mailstore.fields import PackedIdField


class ThreadOf(models.Model):
    """The conversation of a message. A thread's id is the id of its first stored message."""

    message_id = PackedIdField(primary_key=True)
    mailbox_id = models.BigIntegerField()
    thread_id = PackedIdField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["thread_id"], name="thread_messages")]


class ThreadReference(models.Model):
    """A Message-ID that a conversation knows, seen or only referred to: how a late parent finds its children."""

    mailbox_id = models.BigIntegerField()
    message_id_hash = models.BigIntegerField()
    thread_id = PackedIdField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["mailbox_id", "message_id_hash"], name="thread_reference")
        ]
        indexes: ClassVar = [models.Index(fields=["thread_id"], name="thread_reference_thread")]


class FolderThread(models.Model):
    """A conversation in a folder, for the list of conversations."""

    mailbox_id = models.BigIntegerField()
    folder_id = PackedIdField()
    thread_id = PackedIdField()
    last_us = models.BigIntegerField()
    total = models.IntegerField(default=0)
    unread = models.IntegerField(default=0)
    starred = models.IntegerField(default=0)
    participants = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["thread_id", "folder_id"], name="folder_thread_key")]
        indexes: ClassVar = [
            models.Index(fields=["folder_id", "last_us", "thread_id"], name="folder_thread_date"),
            models.Index(
                fields=["folder_id", "last_us", "thread_id"],
                name="folder_thread_unread",
                condition=models.Q(unread__gt=0),
            ),
            models.Index(
                fields=["folder_id", "last_us", "thread_id"],
                name="folder_thread_starred",
                condition=models.Q(starred__gt=0),
            ),
        ]
