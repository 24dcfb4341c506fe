"""Which index this installation has."""

from __future__ import annotations

from django.db import connection

from mailstore.search.engine import Index
from mailstore.search.postgres import PostgresIndex
from mailstore.search.sqlite import SqliteIndex


def index() -> Index:
    """The index of this process's database."""
    return PostgresIndex() if connection.vendor == "postgresql" else SqliteIndex()
