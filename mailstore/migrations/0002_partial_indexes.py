from typing import ClassVar

from django.db import migrations

from mailstore import ddl


class Migration(migrations.Migration):
    """The partial indexes for unread and starred lists."""

    dependencies: ClassVar = [("mailstore", "0001_initial")]
    operations: ClassVar = [ddl.OPERATION]
