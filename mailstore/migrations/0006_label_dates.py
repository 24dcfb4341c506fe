from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """The list of a label through all folders, by date."""

    dependencies: ClassVar = [("mailstore", "0005_lists")]
    operations: ClassVar = [
        migrations.AddIndex(
            "entrylabel", models.Index(fields=["keyword", "sort_us", "entry_id"], name="entry_label_date")
        ),
    ]
