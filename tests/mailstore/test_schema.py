"""What the schema promises to the engines."""

from __future__ import annotations

import secrets

import pytest
from django.apps import apps
from django.db import connection

from core.access import Access
from mailstore import blobs, sql
from mailstore.ddl import PARTIAL_INDEXES
from mailstore.fields import MAX_COUNTER, MAX_MAILBOX, PackedIdField, mailbox_of, pack
from mailstore.models import Flag
from mailstore.services.entries import set_flags
from tests.mailstore.letters import stored_many


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
    by_rows = {"entry_unread", "entry_starred"} if connection.vendor == "postgresql" else set()
    assert PARTIAL_INDEXES.keys() - found.keys() == by_rows


@pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL's updates")
def test_a_change_of_flags_rewrites_no_index(mine: Access) -> None:
    ids = stored_many(mine, 3)  # all their versions fit into the half of a page that is left free
    counted = "pg_stat_get_xact_tuples_{}('mailstore_entry'::regclass)"
    query = f"SELECT {counted.format('updated')}, {counted.format('hot_updated')}"
    before = sql.row(query)  # of the tests before, which the server has not written down yet
    for flag in (Flag.SEEN, Flag.FLAGGED, Flag.ANSWERED):
        set_flags(mine, ids, add=flag)
    assert [now - then for now, then in zip(sql.row(query), before, strict=True)] == [9, 9]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL's triggers")
def test_an_emptied_table_has_empty_lists(mine: Access, breaks_rows: None) -> None:
    stored_many(mine, 3)
    assert sql.row("SELECT count(*) FROM mailstore_flaglist") == (3,)
    sql.run("TRUNCATE mailstore_entry")
    assert sql.row("SELECT count(*) FROM mailstore_flaglist") == (0,)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL's pages")
def test_the_bytes_of_a_usual_mail_lie_in_their_row(db: None) -> None:
    apart = sql.row("SELECT reltoastrelid::regclass::text FROM pg_class WHERE oid = 'mailstore_blob'::regclass")[0]
    before = sql.row(f"SELECT count(*) FROM {apart}")
    blobs.put(secrets.token_bytes(3_900))
    assert sql.row(f"SELECT count(*) FROM {apart}") == before
    blobs.put(secrets.token_bytes(4_100))
    assert sql.row(f"SELECT count(*) FROM {apart}") > before


def test_packed_ids_hold_a_mailbox_and_a_counter() -> None:
    largest = pack(MAX_MAILBOX, MAX_COUNTER)
    assert largest == (1 << 63) - 1
    assert mailbox_of(largest) == MAX_MAILBOX
    assert mailbox_of(pack(7, 1)) == 7
