"""What mail programs were told of; everything that lies there now counts as told."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations, models


def add_column(_apps: Any, editor: Any) -> None:
    """ALTER TABLE of our own: Django would rebuild the table on SQLite."""
    editor.execute("ALTER TABLE mailstore_folder ADD COLUMN recent_uid bigint NOT NULL DEFAULT 0")
    editor.execute("UPDATE mailstore_folder SET recent_uid = uidnext - 1")


def drop_column(_apps: Any, editor: Any) -> None:
    """Undo `add_column`."""
    editor.execute("ALTER TABLE mailstore_folder DROP COLUMN recent_uid")


class Migration(migrations.Migration):

    dependencies: ClassVar = [("mailstore", "0015_search_periods")]

    operations: ClassVar = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunPython(add_column, drop_column)],
            [migrations.AddField("folder", "recent_uid", models.BigIntegerField(default=0, db_default=0))],
        ),
    ]
