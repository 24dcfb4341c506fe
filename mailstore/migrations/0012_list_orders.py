from typing import Any, ClassVar

from django.db import migrations, models

import mailstore.fields
from mailstore import ddl

COLUMNS = ("orders_kept", "orders_ready")


def add_columns(apps: Any, editor: Any) -> None:
    """ALTER TABLE of our own: Django would rebuild the table on SQLite."""
    for column in COLUMNS:
        editor.execute(f"ALTER TABLE mailstore_folder ADD COLUMN {column} smallint NOT NULL DEFAULT 0")


def drop_columns(apps: Any, editor: Any) -> None:
    """Undo `add_columns`."""
    for column in COLUMNS:
        editor.execute(f"ALTER TABLE mailstore_folder DROP COLUMN {column}")


class Migration(migrations.Migration):
    """Orders of lists beside the date's, kept for the folders where somebody uses them."""

    dependencies: ClassVar = [("mailstore", "0011_threads")]
    operations: ClassVar = [
        *(
            migrations.RemoveIndex("entry", name)
            for name in ("entry_by_sender", "entry_by_subject", "entry_size", "entry_from")
        ),
        migrations.SeparateDatabaseAndState(
            [migrations.RunPython(add_columns, drop_columns)],
            [
                migrations.AddField("folder", name, models.SmallIntegerField(db_default=0, default=0))
                for name in COLUMNS
            ],
        ),
        migrations.SeparateDatabaseAndState(
            [ddl.ENTRY_ORDER_OPERATION],
            [
                migrations.CreateModel(
                    name="EntryOrder",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "folder_id",
                                "kind",
                                "hash",
                                "word",
                                "number",
                                "tie",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("folder_id", mailstore.fields.PackedIdField()),
                        ("kind", models.SmallIntegerField()),
                        ("hash", models.BigIntegerField()),
                        ("word", models.CharField(max_length=64)),
                        ("number", models.BigIntegerField()),
                        ("tie", models.BigIntegerField()),
                    ],
                ),
            ],
        ),
        migrations.CreateModel(
            name="FolderOrder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mailbox_id", models.BigIntegerField()),
                ("folder_id", mailstore.fields.PackedIdField()),
                ("kind", models.SmallIntegerField()),
                ("state", models.SmallIntegerField(choices=[(0, "Filling"), (1, "Ready"), (2, "Dropping")])),
                ("filled_uid", models.BigIntegerField(default=0)),
                ("used_s", models.BigIntegerField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("folder_id", "kind"), name="folder_order_kind")],
            },
        ),
    ]
