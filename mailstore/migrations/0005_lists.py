from typing import Any, ClassVar

from django.db import migrations, models

from mailstore.message import address_hash

TABLES = ("mailstore_entry", "mailstore_recoverable")


def add_column(apps: Any, editor: Any) -> None:
    """ALTER TABLE of our own: Django would rebuild a table of millions of rows on SQLite."""
    for table in TABLES:
        editor.execute(f"ALTER TABLE {table} ADD COLUMN sender_hash bigint NOT NULL DEFAULT 0")


def fill(apps: Any, editor: Any) -> None:
    """The hash of what is there already, an address at a time."""
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT sender_address FROM mailstore_message WHERE sender_address <> ''")
        hashes = [(address_hash(address), address) for (address,) in cursor.fetchall()]
        for table in TABLES:
            cursor.executemany(
                f"UPDATE {table} SET sender_hash = %s WHERE message_id IN "
                "(SELECT id FROM mailstore_message WHERE sender_address = %s)",
                hashes,
            )


def drop_column(apps: Any, editor: Any) -> None:
    """Undo `add_column`."""
    for table in TABLES:
        editor.execute(f"ALTER TABLE {table} DROP COLUMN sender_hash")


class Migration(migrations.Migration):
    """Lists by sender: a filter of its own, and the newest of a sender first; conversations with something unread or starred."""

    dependencies: ClassVar = [("mailstore", "0004_retention")]
    operations: ClassVar = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunPython(add_column, drop_column)],
            [
                migrations.AddField(name, "sender_hash", models.BigIntegerField(default=0))
                for name in ("entry", "recoverable")
            ],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RemoveIndex("entry", "entry_sender"),
        migrations.RemoveIndex("entry", "entry_subject"),
        migrations.AddIndex("entry", models.Index(fields=["folder_id", "sender_key", "-id"], name="entry_by_sender")),
        migrations.AddIndex("entry", models.Index(fields=["folder_id", "subject_key", "-id"], name="entry_by_subject")),
        migrations.AddIndex(
            "entry", models.Index(fields=["folder_id", "sender_hash", "sort_us", "id"], name="entry_from")
        ),
        *(
            migrations.AddIndex(
                "folderthread",
                models.Index(
                    fields=["folder_id", "last_us", "thread_id"],
                    name=f"folder_thread_{name}",
                    condition=models.Q((f"{name}__gt", 0)),
                ),
            )
            for name in ("unread", "starred")
        ),
    ]
