"""DDL that the ORM can't say, one vendor-switched operation with its reverse."""

from __future__ import annotations

from typing import Any

from django.db import migrations

UNREAD = "(flags & 1) = 0"
STARRED = "(flags & 4) = 4"
ATTACHMENT = "(attributes & 1) = 1"

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
