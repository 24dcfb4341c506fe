"""PostgreSQL keeps the search index in order by itself: nobody has to run VACUUM after an import."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from mailstore.ddl import SEARCH_UPKEEP_OPERATION


class Migration(migrations.Migration):

    dependencies: ClassVar = [("mailstore", "0017_flag_lists")]

    operations: ClassVar = [SEARCH_UPKEEP_OPERATION]
