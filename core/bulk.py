"""Many rows in few statements, for both engines.

`executemany` of SQLite's driver lets go of the interpreter and takes it back for every row, which beside a busy event
loop costs more than the row; on PostgreSQL it is a round trip each. Statements of a few fixed sizes stay prepared; PostgreSQL takes columns instead
(`core.columns`).
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from core import columns as packed

ANY_SIZE = 12
SIZES = (64, 32, 16, *range(ANY_SIZE, 0, -1))
"""Rows of one statement, largest first; a small group is one statement, because each one gives the interpreter away."""


def executed(statement: str, parameters: Sequence[Any] = ()) -> contextlib.closing[Any]:
    """`with executed(…) as cursor`: one statement, run in the caller's transaction by the shortest way there is."""
    return _executed(connections[DEFAULT_DB_ALIAS], statement, parameters)


def _executed(connection: Any, statement: str, parameters: Sequence[Any]) -> contextlib.closing[Any]:
    quick = getattr(connection, "quick_cursor", None)
    cursor = quick(statement, parameters) if quick is not None else None
    if cursor is None:
        cursor = connection.cursor()
        cursor.execute(statement, parameters)
    return contextlib.closing(cursor)


def ahead() -> contextlib.AbstractContextManager[None]:
    """`with ahead()`: several `insert_rows` and `update_rows` in a row whose answers nobody needs (`core.columns.ahead`)."""
    return packed.ahead(connections[DEFAULT_DB_ALIAS])


def insert_rows(table: str, columns: str, rows: Sequence[Sequence[Any]], tail: str = "") -> list[tuple[Any, ...]]:
    """INSERT `rows` in the caller's transaction; what a RETURNING in `tail` gives. `tail` may say ON CONFLICT; a row
    that conflicts with another of `rows` is an error on PostgreSQL unless it says DO NOTHING."""
    if not rows:
        return []
    connection = connections[DEFAULT_DB_ALIAS]
    found = packed.insert_all(connection, table, columns, rows, tail)
    if found is not None:
        return found
    found = []
    returns = "RETURNING" in tail
    for part in _parts(rows):
        statement = _inserting(table, columns, tail, len(part), len(part[0]))
        with _executed(connection, statement, list(itertools.chain.from_iterable(part))) as cursor:
            if returns:
                found += cursor.fetchall()
    return found


@functools.lru_cache(maxsize=512)
def _inserting(table: str, columns: str, tail: str, count: int, width: int) -> str:
    return f"INSERT INTO {table} ({columns}) VALUES {_values(count, width)} {tail}"


def _values(count: int, width: int) -> str:
    marks = f"({', '.join(['%s'] * width)})"
    return ", ".join([marks] * count)


def _parts(rows: Sequence[Sequence[Any]]) -> list[Sequence[Sequence[Any]]]:
    if len(rows) <= ANY_SIZE:
        return [rows]
    parts, begin = [], 0
    for size in SIZES:
        while len(rows) - begin >= size:
            parts.append(rows[begin : begin + size])
            begin += size
    return parts


def update_rows(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Set `columns` of the rows whose `id` is the first value of each row of parameters, in the caller's transaction."""
    connection = connections[DEFAULT_DB_ALIAS]
    if not rows or packed.update_all(connection, table, columns, rows):
        return
    for part in _parts(rows):
        if len(part) == 1:  # a third of the work of the other statement
            row = part[0]
            with _executed(connection, _updating_one(table, tuple(columns)), [*row[1:], row[0]]):
                continue
        statement = _updating(table, tuple(columns), len(part))
        with _executed(connection, statement, list(itertools.chain.from_iterable(part))):
            pass


@functools.lru_cache(maxsize=64)
def _updating_one(table: str, columns: tuple[str, ...]) -> str:
    return f"UPDATE {table} SET {', '.join(f'{column} = %s' for column in columns)} WHERE id = %s"


@functools.lru_cache(maxsize=512)
def _updating(table: str, columns: tuple[str, ...], count: int) -> str:
    setting = ", ".join(f"{column} = new.column{number}" for number, column in enumerate(columns, 2))
    values = _values(count, len(columns) + 1)
    return f"UPDATE {table} SET {setting} FROM (VALUES {values}) AS new WHERE {table}.id = new.column1"
