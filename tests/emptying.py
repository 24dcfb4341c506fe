"""Emptying the tables after a test that commits.

Django's flush makes content types and permissions anew each time, 0.3 s for a hundred models; they say what models there
are, which no test changes, so they stay. On PostgreSQL rows are deleted where we may do so without an order among the
tables: TRUNCATE makes new files for each of a hundred tables and their indexes, and rows that a test left are few.
"""

from __future__ import annotations

from typing import Any

from django.core.management.color import no_style
from django.db import connection
from django.test import TransactionTestCase

KEPT = frozenset({"django_content_type", "auth_permission"})


def empty_tables() -> None:
    """All but KEPT and the record of migrations."""
    tables = [
        name
        for name in connection.introspection.django_table_names(only_existing=True, include_views=False)
        if name not in KEPT
    ]
    connection.ops.execute_sql_flush(_statements(tables))


def quick_teardown() -> None:
    """Tests that commit end with `empty_tables` from now on."""
    TransactionTestCase._fixture_teardown = lambda self: empty_tables()  # type: ignore[attr-defined]


def _statements(tables: list[str]) -> list[str]:
    if connection.vendor != "postgresql" or not _is_superuser():
        return connection.ops.sql_flush(no_style(), tables)
    # What triggers keep, they don't keep for a replica.
    deletions = [f"DELETE FROM {connection.ops.quote_name(table)}" for table in [*tables, "mailstore_flaglist"]]
    role = "SET LOCAL session_replication_role"
    return ["; ".join([f"{role} = replica", *deletions, f"{role} = DEFAULT"])]


def _is_superuser() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SHOW is_superuser")
        return cursor.fetchone()[0] == "on"
