"""Periods of PostgreSQL's search index are an eighth as long: a common word costs a week of mail, not two months."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations


def shorten(_apps: Any, editor: Any) -> None:
    """A period is the high part of the key."""
    if editor.connection.vendor == "postgresql":
        editor.execute("UPDATE mailstore_searchdocument SET period = key >> 24")


def lengthen(_apps: Any, editor: Any) -> None:
    """Undo `shorten`."""
    if editor.connection.vendor == "postgresql":
        editor.execute("UPDATE mailstore_searchdocument SET period = key >> 27")


class Migration(migrations.Migration):

    dependencies: ClassVar = [("mailstore", "0014_entry_changes")]

    operations: ClassVar = [migrations.RunPython(shorten, lengthen)]
