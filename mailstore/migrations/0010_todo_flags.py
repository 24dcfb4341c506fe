from typing import ClassVar

from django.db import migrations

SET = "UPDATE mailstore_entry SET flags = flags | {flag} WHERE id IN (SELECT entry_id FROM mailstore_todo WHERE {state})"


class Migration(migrations.Migration):
    """To-do marks are flags of their entries too, so that mail programs see them."""

    dependencies: ClassVar = [("mailstore", "0009_saved_date")]
    operations: ClassVar = [
        migrations.RunSQL(
            [SET.format(flag=128, state="done_us IS NULL"), SET.format(flag=256, state="done_us IS NOT NULL")],
            "UPDATE mailstore_entry SET flags = flags & 127",
        )
    ]
