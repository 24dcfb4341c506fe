"""On PostgreSQL unread and starred entries are rows of their own, so that a change of flags rewrites no index."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from mailstore.ddl import FLAG_LIST_OPERATION


class Migration(migrations.Migration):

    dependencies: ClassVar = [("mailstore", "0016_recent_uid")]

    operations: ClassVar = [FLAG_LIST_OPERATION]
