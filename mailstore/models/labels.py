"""Keywords and labels, to-do marks and snoozes."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from mailstore.fields import PackedIdField


class Keyword(models.Model):
    """An IMAP keyword of a mailbox, at a bit of `Entry.keywords` (at most 62). Bound to a label when it has a name."""

    mailbox_id = models.BigIntegerField()
    bit = models.SmallIntegerField()
    atom = models.CharField(max_length=120)
    """Fixed when made; a label may be renamed."""
    label = models.CharField(max_length=60, blank=True)
    colour = models.CharField(max_length=7, blank=True)
    total = models.IntegerField(default=0)
    unread = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["mailbox_id", "bit"], name="keyword_bit"),
            models.UniqueConstraint(fields=["mailbox_id", "atom"], name="keyword_atom"),
        ]


class EntryLabel(models.Model):
    """An entry carries a keyword: the table that filters by it (a bit mask would scan the folder)."""

    keyword = models.ForeignKey(Keyword, models.DO_NOTHING, db_constraint=False, db_index=False)
    mailbox_id = models.BigIntegerField()
    folder_id = PackedIdField()
    sort_us = models.BigIntegerField()
    entry_id = PackedIdField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["keyword", "folder_id", "sort_us", "entry_id"], name="entry_label_key")
        ]
        indexes: ClassVar = [
            models.Index(fields=["entry_id"], name="entry_label_entry"),
            models.Index(fields=["keyword", "sort_us", "entry_id"], name="entry_label_date"),
        ]


class Todo(models.Model):
    """A mail marked to-do (4.3 of the manual): in the web it leaves its folder until it is done or put back."""

    entry_id = PackedIdField(primary_key=True)
    mailbox_id = models.BigIntegerField()
    folder_id = PackedIdField()
    """Where it came from."""
    due_us = models.BigIntegerField(null=True)
    done_us = models.BigIntegerField(null=True)
    created_us = models.BigIntegerField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["mailbox_id", "done_us", "created_us"], name="todo_list")]


class Snooze(models.Model):
    """A mail that comes back at a time."""

    entry_id = PackedIdField(primary_key=True)
    mailbox_id = models.BigIntegerField()
    until_us = models.BigIntegerField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["until_us"], name="snooze_due")]
