"""What the search index still has to take in."""

from __future__ import annotations

from django.db import models

from mailstore.fields import PackedIdField


class SearchTodo(models.Model):
    """A message that waits for the indexer; written in the transaction that stored it."""

    message_id = PackedIdField(primary_key=True)
    mailbox_id = models.BigIntegerField()
