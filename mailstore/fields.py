"""Packed ids: mailbox id in the high 27 bits, a per-mailbox counter in the low 36.

One 63-bit key serves the ORM, SQLite's rowid, the search index and sharding. It passes 2^53, so it is text in
HTML, JSON and URLs.
"""

from __future__ import annotations

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

COUNTER_BITS = 36
MAX_COUNTER = (1 << COUNTER_BITS) - 1
MAX_MAILBOX = (1 << 27) - 1


def pack(mailbox: int, counter: int) -> int:
    """The id of the `counter`-th thing of `mailbox`."""
    return mailbox << COUNTER_BITS | counter


def mailbox_of(packed: int) -> int:
    """Whose thing it is."""
    return packed >> COUNTER_BITS


class PackedIdField(models.BigIntegerField):  # type: ignore[type-arg]  # generic in the stubs alone
    """A packed id. `integer` on SQLite, where a primary key of that very type is the rowid itself."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """The column's type; Django's own `bigint` would cost a second B-tree on SQLite."""
        return "integer" if connection.vendor == "sqlite" else "bigint"

    def rel_db_type(self, connection: BaseDatabaseWrapper) -> str:
        """The type of a column that points here."""
        return self.db_type(connection)
