"""Mailboxes and their folders, with the counters that lists and quotas read."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from mailstore.fields import PackedIdField


class Mailbox(models.Model):
    """One per account that owns mail, with the account's id. Written by raw SQL alone, in the writer."""

    id = PackedIdField(primary_key=True)
    next_id = models.BigIntegerField(default=1)
    """The next counter for a packed id."""
    modseq = models.BigIntegerField(default=1)
    """The newest change (RFC 7162); rises by one or more with each transaction that changes the mailbox."""
    used_bytes = models.BigIntegerField(default=0)
    recoverable_bytes = models.BigIntegerField(default=0)


class Role(models.TextChoices):
    """What a folder is for (RFC 6154, and the monitor folder of the manual). Custom folders have none."""

    INBOX = "inbox", _("Inbox")
    DRAFTS = "drafts", _("Drafts")
    SENT = "sent", _("Sent")
    TRASH = "trash", _("Trash")
    JUNK = "junk", _("Junk")
    MONITOR = "monitor", _("Mail monitoring")
    NONE = "", _("My folder")


class Folder(models.Model):
    """A folder. Names of folders with a role are shown by role, in the reader's language."""

    id = PackedIdField(primary_key=True)
    mailbox_id = models.BigIntegerField()
    parent_id = PackedIdField(default=0)
    """0 at the top: NULLs would make the constraint on names worthless on SQLite."""
    name = models.CharField(max_length=255)
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.NONE)
    position = models.IntegerField(default=0)
    is_hidden = models.BooleanField(default=False)
    is_read_only = models.BooleanField(default=False)
    is_quota_exempt = models.BooleanField(default=False)
    pop_visible = models.BooleanField(default=False)
    imap_visible = models.BooleanField(default=True)
    lock_scope = models.CharField(max_length=16, blank=True)
    uidvalidity = models.BigIntegerField()
    uidnext = models.BigIntegerField(default=1)
    highestmodseq = models.BigIntegerField(default=1)
    expunge_floor = models.BigIntegerField(default=0)
    """Expunged UIDs are known for modseqs above this (RFC 7162 3.2.5)."""
    change_floor = models.BigIntegerField(default=0)
    """Changes of entries are logged for modseqs above this (`mailstore.entry_changes`)."""
    recent_uid = models.BigIntegerField(default=0, db_default=0)
    """The highest UID that a mail program was told of (RFC 3501 2.3.2)."""
    total = models.IntegerField(default=0)
    unread = models.IntegerField(default=0)
    starred = models.IntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    orders_kept = models.SmallIntegerField(default=0, db_default=0)
    """Bits of `mailstore.orders.Kind`: what writers keep up to date, filled already or not."""
    orders_ready = models.SmallIntegerField(default=0, db_default=0)
    """Those of them that lists walk."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["mailbox_id", "parent_id", "name"], name="folder_name"),
            models.UniqueConstraint(
                fields=["mailbox_id", "role"], condition=~models.Q(role__in=["", "monitor"]), name="folder_role"
            ),
        ]
