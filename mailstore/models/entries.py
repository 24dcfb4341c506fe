"""Entries: a message in a folder, the one hot mutable row; and what is left when one goes."""

from __future__ import annotations

import enum
from typing import ClassVar

from django.db import models

from mailstore.fields import PackedIdField


class Flag(enum.IntFlag):
    """System flags (RFC 9051 2.3.2) and the registered keywords that every list shows."""

    SEEN = 1
    ANSWERED = 2
    FLAGGED = 4
    DELETED = 8
    DRAFT = 16
    FORWARDED = 32
    MDN_SENT = 64
    TODO = 128
    """Marked to-do: there is a row of `Todo`. Only the services of to-do marks change this and the next one."""
    DONE = 256


FLAG_NAMES = {
    Flag.SEEN: "\\Seen",
    Flag.ANSWERED: "\\Answered",
    Flag.FLAGGED: "\\Flagged",
    Flag.DELETED: "\\Deleted",
    Flag.DRAFT: "\\Draft",
    Flag.FORWARDED: "$Forwarded",
    Flag.MDN_SENT: "$MDNSent",
    Flag.TODO: "$Todo",
    Flag.DONE: "$Done",
}
"""As programs and archives know them. `$Todo` and `$Done` are the to-do marks of the webmail; KMail names its own so too."""

_TODO, _DONE = int(Flag.TODO), int(Flag.DONE)
TODO_MARKS = _TODO | _DONE
"""An entry has one of them at most."""


def settled(flags: int) -> int:
    """Flags that an entry may have: what is done is not to be done."""
    return flags & ~_TODO if flags & _DONE else flags


class EntryColumns(models.Model):
    """What an entry is made of; shared by the live and the recoverable table."""

    id = PackedIdField(primary_key=True)
    mailbox_id = models.BigIntegerField()
    folder_id = PackedIdField()
    uid = models.BigIntegerField()
    message_id = PackedIdField()
    modseq = models.BigIntegerField()
    flags = models.IntegerField(default=0)
    """Bits of `Flag`."""
    keywords = models.BigIntegerField(default=0)
    """Bits of `Keyword.bit`."""
    attributes = models.IntegerField(default=0)
    sort_us = models.BigIntegerField()
    """The list's date: when it arrived here, or was sent from here."""
    internal_us = models.BigIntegerField()
    """INTERNALDATE (RFC 9051 2.3.3)."""
    saved_us = models.BigIntegerField(null=True)
    """When it came into this folder (SAVEDATE, RFC 8514); none: at INTERNALDATE, as received mail does."""
    size = models.BigIntegerField()
    sender_key = models.CharField(max_length=64)
    sender_hash = models.BigIntegerField(default=0)
    """Of the sender's address; lists filter by it."""
    subject_key = models.CharField(max_length=64)
    verdict = models.SmallIntegerField(default=0)
    matched_address = models.CharField(max_length=320, blank=True)
    """The address of this mailbox that the envelope named, when it was not the account's own."""

    class Meta:
        abstract = True


class Entry(EntryColumns):
    """A message in a folder. The id survives a move; folder, uid and modseq change."""

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["folder_id", "uid"], name="entry_uid")]
        indexes: ClassVar = [
            models.Index(fields=["folder_id", "sort_us", "id"], name="entry_date"),
            models.Index(fields=["message_id"], name="entry_message"),
            # By sender, subject, size: mailstore/orders.py, for the folders where somebody asks.
            # The partial indexes for unread and starred test bits, which Q() can't say: mailstore/ddl.py.
        ]


class Recoverable(EntryColumns):
    """An entry as it was when it was deleted for good; kept for the domain's recovery days."""

    deleted_us = models.BigIntegerField()
    deleted_by = models.CharField(max_length=320, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["mailbox_id", "deleted_us", "id"], name="recoverable_date")]


class EntryChange(models.Model):
    """A range of UIDs in which entries changed at a modseq after they had come (`mailstore.entry_changes`). One B-tree: on
    SQLite a table WITHOUT ROWID (mailstore/ddl.py)."""

    pk = models.CompositePrimaryKey("folder_id", "modseq", "first_uid")
    mailbox_id = models.BigIntegerField()
    folder_id = PackedIdField()
    modseq = models.BigIntegerField()
    first_uid = models.BigIntegerField()
    last_uid = models.BigIntegerField()


class Expunged(models.Model):
    """A range of UIDs that left a folder at a modseq (RFC 7162 3.2.10.2)."""

    mailbox_id = models.BigIntegerField()
    folder_id = PackedIdField()
    modseq = models.BigIntegerField()
    first_uid = models.BigIntegerField()
    last_uid = models.BigIntegerField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["folder_id", "modseq"], name="expunged_modseq")]
