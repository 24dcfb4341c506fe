"""What collecting remembers."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from mailstore.fields import PackedIdField


class FolderMark(models.Model):
    """Where a folder's UIDs stood at a time: what is below was there already then (UIDs ascend, RFC 9051 2.3.1.1).

    So "in 已删除 for 30 days" needs no column on the hot row. Made once a day, only where a domain empties by policy.
    """

    mailbox_id = models.BigIntegerField()
    folder_id = PackedIdField()
    at_us = models.BigIntegerField()
    uidnext = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["folder_id", "at_us"], name="folder_mark_time")]


class GoneObject(models.Model):
    """An object whose blob row is deleted: it follows after a second grace, so that a backup whose copy of the
    database still names it finds it."""

    key = models.CharField(max_length=80, primary_key=True)
    gone_s = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return self.key
