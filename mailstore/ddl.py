"""DDL that the ORM can't say, one vendor-switched operation with its reverse."""

from __future__ import annotations

from typing import Any

from django.db import migrations

UNREAD = "(flags & 1) = 0"
STARRED = "(flags & 4) = 4"
ATTACHMENT = "(attributes & 1) = 1"
ENTRY_SUMS = (
    "count(e.id), COALESCE(sum(CASE WHEN (e.flags & 1) = 0 THEN 1 ELSE 0 END), 0), "
    "COALESCE(sum(CASE WHEN (e.flags & 4) = 4 THEN 1 ELSE 0 END), 0)"
)
"""How many the entries `e` are, how many unread, how many starred: what every counter counts."""

PARTIAL_INDEXES = {
    "entry_unread": f"CREATE INDEX entry_unread ON mailstore_entry (folder_id, sort_us, id) WHERE {UNREAD}",
    "entry_starred": f"CREATE INDEX entry_starred ON mailstore_entry (folder_id, sort_us, id) WHERE {STARRED}",
    "entry_attachment": f"CREATE INDEX entry_attachment ON mailstore_entry (folder_id, sort_us, id) WHERE {ATTACHMENT}",
}


def create(_apps: Any, editor: Any) -> None:
    """Make the partial indexes and, on PostgreSQL, leave room in hot pages for HOT updates."""
    for statement in PARTIAL_INDEXES.values():
        editor.execute(statement)
    if editor.connection.vendor == "postgresql":
        for table in ("mailstore_mailbox", "mailstore_folder", "mailstore_entry"):
            editor.execute(f"ALTER TABLE {table} SET (fillfactor = 70)")


def drop(_apps: Any, editor: Any) -> None:
    """Undo `create`."""
    for name in PARTIAL_INDEXES:
        editor.execute(f"DROP INDEX IF EXISTS {name}")


OPERATION = migrations.RunPython(create, drop)

SEARCH_INDEX = (
    "CREATE EXTENSION IF NOT EXISTS btree_gin",
    "CREATE TABLE mailstore_searchdocument (key bigint PRIMARY KEY, message_id bigint NOT NULL UNIQUE, "
    "mailbox_id bigint NOT NULL, period bigint NOT NULL, v tsvector NOT NULL)",
    "CREATE INDEX search_words ON mailstore_searchdocument USING gin (mailbox_id, period, v)",
)


def create_search_index(_apps: Any, editor: Any) -> None:
    """PostgreSQL's index (mailstore.search.postgres); SQLite's lies in a file of its own."""
    if editor.connection.vendor == "postgresql":
        for statement in SEARCH_INDEX:
            editor.execute(statement)


def drop_search_index(_apps: Any, editor: Any) -> None:
    """Undo `create_search_index`; the extension stays, others may use it."""
    if editor.connection.vendor == "postgresql":
        editor.execute("DROP TABLE IF EXISTS mailstore_searchdocument")


SEARCH_OPERATION = migrations.RunPython(create_search_index, drop_search_index)


def keyed_table(name: str, columns: str, key: str) -> migrations.RunPython:
    """A table that is found by its key alone: SQLite needs no second B-tree for that. `{packed}` is a packed id's type."""

    def create_table(_apps: Any, editor: Any) -> None:
        is_sqlite = editor.connection.vendor == "sqlite"
        packed, tail = ("integer", " WITHOUT ROWID") if is_sqlite else ("bigint", "")
        editor.execute(f"CREATE TABLE {name} ({columns.format(packed=packed)}, PRIMARY KEY ({key})){tail}")

    def drop_table(_apps: Any, editor: Any) -> None:
        editor.execute(f"DROP TABLE {name}")

    return migrations.RunPython(create_table, drop_table)


ENTRY_ORDER_OPERATION = keyed_table(
    "mailstore_entryorder",
    "folder_id {packed} NOT NULL, kind smallint NOT NULL, hash bigint NOT NULL, word varchar(64) NOT NULL, "
    "number bigint NOT NULL, tie bigint NOT NULL",
    "folder_id, kind, hash, word, number, tie",
)
ENTRY_CHANGE_OPERATION = keyed_table(
    "mailstore_entrychange",
    "mailbox_id bigint NOT NULL, folder_id {packed} NOT NULL, modseq bigint NOT NULL, first_uid bigint NOT NULL, "
    "last_uid bigint NOT NULL",
    "folder_id, modseq, first_uid",
)
