"""Orders of a folder beside the date's: by sender, by subject, by size, and the mails of one sender."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from mailstore.fields import PackedIdField


class EntryOrder(models.Model):
    """Where an entry stands in an order that somebody has asked its folder for (`mailstore.orders`). One B-tree: on SQLite
    a table WITHOUT ROWID (mailstore/ddl.py)."""

    pk = models.CompositePrimaryKey("folder_id", "kind", "hash", "word", "number", "tie")
    folder_id = PackedIdField()
    kind = models.SmallIntegerField()
    """One bit of `mailstore.orders.Kind`."""
    hash = models.BigIntegerField()
    word = models.CharField(max_length=64)
    number = models.BigIntegerField()
    tie = models.BigIntegerField()


class FolderOrder(models.Model):
    """How far an order of a folder is, and when it was last of use."""

    class State(models.IntegerChoices):
        FILLING = 0
        READY = 1
        DROPPING = 2

    mailbox_id = models.BigIntegerField()
    folder_id = PackedIdField()
    kind = models.SmallIntegerField()
    state = models.SmallIntegerField(choices=State)
    filled_uid = models.BigIntegerField(default=0)
    """While it fills: entries up to this UID are in it, those that came since it began too."""
    used_s = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["folder_id", "kind"], name="folder_order_kind")]
