"""What the search index still has to take in or to leave out."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from mailstore.fields import PackedIdField


class SearchTodo(models.Model):
    """A message that waits for the indexer; written in the transaction that stored it."""

    message_id = PackedIdField(primary_key=True)
    mailbox_id = models.BigIntegerField()


class SearchRemoval(models.Model):
    """A message that is gone and may still be in the index; written in the transaction that dropped it. It holds the
    blob: on SQLite the index can only take a message out by its tokens."""

    message_id = PackedIdField(primary_key=True)
    mailbox_id = models.BigIntegerField()
    blob_id = PackedIdField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["blob_id"], name="search_removal_blob")]
