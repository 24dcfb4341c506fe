"""Database threads of an asyncio process."""

from __future__ import annotations

import asyncio

import pytest
from django.db import connection

from core import dbthread


def server_sessions() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def connect() -> bool:
    connection.ensure_connection()
    return connection.connection is not None


@pytest.mark.django_db(transaction=True)
def test_closing_leaves_no_session_on_the_server_and_the_next_call_starts_anew() -> None:
    assert asyncio.run(dbthread.run(connect))
    dbthread.close()
    assert not dbthread.pool.cache_info().currsize
    if connection.vendor == "postgresql":
        assert server_sessions() == 1
    assert asyncio.run(dbthread.run(connect))
    dbthread.close()


def test_closing_what_was_never_used_is_nothing() -> None:
    dbthread.close()
    dbthread.close()
    assert not dbthread.pool.cache_info().currsize
