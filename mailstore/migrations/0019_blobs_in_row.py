"""On PostgreSQL the bytes of a usual mail and what is known of it lie in their rows."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from mailstore.ddl import IN_ROW_OPERATION


class Migration(migrations.Migration):
    """See `mailstore.ddl`."""

    dependencies: ClassVar = [("mailstore", "0018_search_upkeep")]

    operations: ClassVar = [IN_ROW_OPERATION]
