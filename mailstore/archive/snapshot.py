"""All rows as of one moment, while others go on writing: a read transaction that takes no write lock."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.db import connection


@contextlib.contextmanager
def snapshot() -> Iterator[None]:
    """Django's `atomic` would take SQLite's write lock (transaction_mode IMMEDIATE). Inside a transaction of the
    caller's, that one is the moment. Keep it short: the write-ahead log grows meanwhile."""
    if connection.in_atomic_block:
        yield
        return
    postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if postgres else "BEGIN DEFERRED")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")
