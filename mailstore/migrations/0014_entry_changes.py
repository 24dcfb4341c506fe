"""Changes of entries are logged as ranges of UIDs; the index on modseq, which every change rewrote, goes."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations, models

from mailstore.ddl import ENTRY_CHANGE_OPERATION
from mailstore.fields import PackedIdField


def add_floor(_apps: Any, editor: Any) -> None:
    """What changed before now is not in the log."""
    editor.execute("ALTER TABLE mailstore_folder ADD COLUMN change_floor bigint NOT NULL DEFAULT 0")
    editor.execute("UPDATE mailstore_folder SET change_floor = highestmodseq")


def drop_floor(_apps: Any, editor: Any) -> None:
    """Undo `add_floor`."""
    editor.execute("ALTER TABLE mailstore_folder DROP COLUMN change_floor")


class Migration(migrations.Migration):

    dependencies: ClassVar = [("mailstore", "0013_judgement")]

    operations: ClassVar = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunPython(add_floor, drop_floor)],
            [migrations.AddField("folder", "change_floor", models.BigIntegerField(default=0))],
        ),
        migrations.SeparateDatabaseAndState(
            [ENTRY_CHANGE_OPERATION],
            [
                migrations.CreateModel(
                    "EntryChange",
                    [
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "folder_id",
                                "modseq",
                                "first_uid",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("mailbox_id", models.BigIntegerField()),
                        ("folder_id", PackedIdField()),
                        ("modseq", models.BigIntegerField()),
                        ("first_uid", models.BigIntegerField()),
                        ("last_uid", models.BigIntegerField()),
                    ],
                )
            ],
        ),
        migrations.RemoveIndex("entry", "entry_modseq"),
    ]
