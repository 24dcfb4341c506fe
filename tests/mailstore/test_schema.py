"""What the schema promises to the engines."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection

from mailstore import sql
from mailstore.ddl import PARTIAL_INDEXES
from mailstore.fields import MAX_COUNTER, MAX_MAILBOX, PackedIdField, mailbox_of, pack


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite's rowid")
def test_a_packed_primary_key_is_the_rowid_itself(db: None) -> None:
    packed = [
        model for model in apps.get_app_config("mailstore").get_models() if isinstance(model._meta.pk, PackedIdField)
    ]
    assert len(packed) > 8
    for model in packed:
        table, key = model._meta.db_table, model._meta.pk.column
        indexes = sql.rows(f'SELECT name, origin FROM pragma_index_list("{table}")')
        assert [name for name, origin in indexes if origin == "pk"] == [], table
        plan = sql.rows(f"EXPLAIN QUERY PLAN SELECT 1 FROM {table} WHERE {key} = 1")
        assert "INTEGER PRIMARY KEY" in plan[0][3], table


def test_the_partial_indexes_exist(db: None) -> None:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "mailstore_entry")
    assert PARTIAL_INDEXES.keys() <= found.keys()


def test_packed_ids_hold_a_mailbox_and_a_counter() -> None:
    largest = pack(MAX_MAILBOX, MAX_COUNTER)
    assert largest == (1 << 63) - 1
    assert mailbox_of(largest) == MAX_MAILBOX
    assert mailbox_of(pack(7, 1)) == 7
