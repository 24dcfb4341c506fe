"""Which rows are an account's own: the closed list, to which upper layers add theirs.

A row travels as its columns. Packed ids carry the mailbox in their high bits, so they move to another mailbox by
exchanging these; a blob travels as its hash. Keywords' rows of entries (`entry_label`) and counters are computed anew.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from django.db import models

from mailstore.fields import COUNTER_BITS, MAX_COUNTER, PackedIdField, mailbox_of
from mailstore.models import (
    Correspondent,
    Draft,
    DraftAttachment,
    Entry,
    Expunged,
    Folder,
    FolderThread,
    Keyword,
    Message,
    Recoverable,
    Snooze,
    ThreadOf,
    ThreadReference,
    Todo,
)

BLOB = "blob_id"


@dataclasses.dataclass(frozen=True, slots=True)
class AccountTable:
    """A model whose rows belong to the account in column `owner`."""

    model: type[models.Model]
    owner: str = "mailbox_id"

    @property
    def label(self) -> str:
        """Its name in an archive."""
        return str(self.model._meta.label_lower)

    def columns(self) -> list[models.Field[Any, Any]]:
        """What travels: every column but a number that only this database knows."""
        return [field for field in self.model._meta.concrete_fields if not isinstance(field, models.AutoField)]


TABLES: dict[str, AccountTable] = {}


def register_account_table(model: type[models.Model], *, owner: str) -> None:
    """Add an upper layer's rows, once for each account or many; they come after the mail."""
    table = AccountTable(model, owner)
    TABLES[table.label] = table


for _model in (
    Folder,
    Keyword,
    Message,
    ThreadOf,
    ThreadReference,
    FolderThread,
    Entry,
    Recoverable,
    Expunged,
    Todo,
    Snooze,
    Draft,
    DraftAttachment,
    Correspondent,
):
    register_account_table(_model, owner="mailbox_id")


def is_packed(field: models.Field[Any, Any]) -> bool:
    """Whether a column holds packed ids (of any mailbox)."""
    return isinstance(field, PackedIdField) and field.attname != BLOB


def moved(packed: int | None, source: int, target: int) -> int | None:
    """A packed id of `source` as one of `target`; another mailbox's stays."""
    if packed is None or packed == 0 or mailbox_of(packed) != source:
        return packed
    return target << COUNTER_BITS | packed & MAX_COUNTER
