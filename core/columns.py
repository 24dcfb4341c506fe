"""Many rows for PostgreSQL in few binary parameters: one array for each column.

Django's cursor writes every value into the text of the statement. A group of mails has two thousand values whose marks
are looked for anew each time, and its blobs become hexadecimal digits that the server reads back. Here a statement has
one parameter for each column, whatever the number of rows: it is short, always the same, and stays prepared.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import Dumper

Pack = Callable[[Sequence[Any]], bytes]

ROWS = 1_000
"""Of one statement."""
UNPACKABLE = (struct.error, TypeError, AttributeError, ValueError, OverflowError, LookupError)
"""A type that isn't known here, or a value that is not of its column's type: Django's cursor converts it, or raises what callers know."""
_HEAD = struct.Struct(">iiIii").pack
_LENGTH = struct.Struct(">i").pack
_NULL = _LENGTH(-1)
_MOMENT = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_DAY = _MOMENT.toordinal()
_MICROSECOND = datetime.timedelta(microseconds=1)


def insert_all(
    connection: Any, table: str, columns: str, rows: Sequence[Sequence[Any]], tail: str
) -> list[tuple[Any, ...]] | None:
    """INSERT `rows`; what a RETURNING in `tail` gives. None where Django's cursor is needed and nothing was sent."""
    if not _is_possible(connection):
        return None
    try:
        statement, packs = _inserting(_types(connection, table), table, columns, tail)
        parts = _packed(packs, rows)
    except UNPACKABLE:
        return None
    found: list[tuple[Any, ...]] = []
    with connection.wrap_database_errors:
        for part in parts:
            cursor = _cursor(connection).execute(statement, part, prepare=True)
            if cursor.description is not None:
                found += cursor.fetchall()
    return found


def update_all(connection: Any, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bool:
    """Set `columns` of the rows whose `id` is the first value of each of `rows`; False as None of `insert_all`."""
    if not _is_possible(connection):
        return False
    try:
        statement, packs = _updating(_types(connection, table), table, tuple(columns))
        parts = _packed(packs, rows)
    except UNPACKABLE:
        return False
    with connection.wrap_database_errors:
        for part in parts:
            _cursor(connection).execute(statement, part, prepare=True)
    return True


@contextlib.contextmanager
def ahead(connection: Any) -> Iterator[None]:
    """Rows that are written inside go to PostgreSQL without a wait for its answers (libpq's pipeline mode): it works on
    some while the next are packed. What goes wrong is raised by a later statement or at the end. Statements whose
    count of rows is asked for have no place inside."""
    if not _is_possible(connection):
        yield
        return
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def _is_possible(connection: Any) -> bool:
    """In a sound transaction on PostgreSQL, with nobody who wants to see the statements."""
    if connection.vendor != "postgresql" or not connection.in_atomic_block or connection.needs_rollback:
        return False
    return not connection.execute_wrappers and not connection.queries_logged


def _packed(packs: Sequence[Pack], rows: Sequence[Sequence[Any]]) -> list[list[_Array]]:
    """The parameters of each statement."""
    found = []
    for begin in range(0, len(rows), ROWS):
        columns = zip(*rows[begin : begin + ROWS], strict=True)
        found.append([_Array(pack(values)) for pack, values in zip(packs, columns, strict=True)])
    return found


class _Array(bytes):
    """An array in the binary form; the statement says of what."""


class _ArrayDumper(Dumper):
    format = pq.Format.BINARY
    oid = 0

    def dump(self, obj: bytes) -> bytes:
        return obj


def _cursor(connection: Any) -> psycopg.RawCursor[Any]:
    """One for each connection: making it costs as much as a small statement."""
    cursor: psycopg.RawCursor[Any] | None = getattr(connection, "columns_cursor", None)
    if cursor is None or cursor.connection is not connection.connection or cursor.closed:
        cursor = connection.columns_cursor = psycopg.RawCursor(connection.connection)
        cursor.adapters.register_dumper(_Array, _ArrayDumper)
    return cursor


_known: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}


def _types(connection: Any, table: str) -> tuple[tuple[str, str], ...]:
    """(column, type) of a table."""
    key = (connection.settings_dict["NAME"], table)
    found = _known.get(key)
    if found is None:
        query = (
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute "
            "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
        with connection.cursor() as cursor:
            cursor.execute(query, [table])
            found = _known[key] = tuple(cursor.fetchall())
    return found


def _packing(types: tuple[tuple[str, str], ...], columns: Sequence[str]) -> tuple[str, list[str], list[Pack]]:
    """The rows as a table `new` of column1 …, each column as the statement takes it from there, and what packs it."""
    type_of = dict(types)
    arrays, taken, packs = [], [], []
    for number, column in enumerate(columns, 1):
        carried, pack = _PACKED[type_of[column]]
        arrays.append(f"${number}::{carried}[]")
        taken.append(f"new.column{number}{'' if carried != 'text' else '::' + type_of[column]}")
        packs.append(pack)
    names = ", ".join(f"column{number}" for number in range(1, len(columns) + 1))
    return f"unnest({', '.join(arrays)}) AS new ({names})", taken, packs


@functools.lru_cache(maxsize=256)
def _inserting(types: tuple[tuple[str, str], ...], table: str, columns: str, tail: str) -> tuple[str, list[Pack]]:
    rows, taken, packs = _packing(types, columns.split(", "))
    return f"INSERT INTO {table} ({columns}) SELECT {', '.join(taken)} FROM {rows} {tail}", packs


@functools.lru_cache(maxsize=256)
def _updating(types: tuple[tuple[str, str], ...], table: str, columns: tuple[str, ...]) -> tuple[str, list[Pack]]:
    rows, taken, packs = _packing(types, ("id", *columns))
    setting = ", ".join(f"{column} = {value}" for column, value in zip(columns, taken[1:], strict=True))
    return f"UPDATE {table} SET {setting} FROM {rows} WHERE {table}.id = new.column1", packs


def _head(oid: int, values: Sequence[Any], *, has_null: bool) -> bytes:
    return _HEAD(1, has_null, oid, len(values), 1)


def _fixed(oid: int, size: int, code: str, converted: Callable[[Any], Any] | None = None) -> Pack:
    one = struct.Struct(f">i{code}").pack

    def pack(values: Sequence[Any]) -> bytes:
        if converted is not None:
            values = [None if value is None else converted(value) for value in values]
        if None in values:
            parts = [_NULL if value is None else one(size, value) for value in values]
            return _head(oid, values, has_null=True) + b"".join(parts)
        flat = chain.from_iterable(zip(repeat(size), values, strict=False))
        return _head(oid, values, has_null=False) + struct.pack(f">{f'i{code}' * len(values)}", *flat)

    return pack


def _varying(oid: int, encoded: Callable[[Any], bytes]) -> Pack:
    def pack(values: Sequence[Any]) -> bytes:
        parts = [_head(oid, values, has_null=None in values)]
        for value in values:
            if value is None:
                parts.append(_NULL)
            else:
                data = encoded(value)
                parts += (_LENGTH(len(data)), data)
        return b"".join(parts)

    return pack


def _bytes(value: Any) -> bytes:
    return value if type(value) is bytes else bytes(memoryview(value))


_TEXT = ("text", _varying(25, str.encode))
_PACKED: dict[str, tuple[str, Pack]] = {
    "bigint": ("bigint", _fixed(20, 8, "q")),
    "integer": ("integer", _fixed(23, 4, "i")),
    "smallint": ("smallint", _fixed(21, 2, "h")),
    "boolean": ("boolean", _fixed(16, 1, "?", bool)),
    "double precision": ("double precision", _fixed(701, 8, "d")),
    "timestamp with time zone": ("timestamptz", _fixed(1184, 8, "q", lambda at: (at - _MOMENT) // _MICROSECOND)),
    "date": ("date", _fixed(1082, 4, "i", lambda day: day.toordinal() - _DAY)),
    "bytea": ("bytea", _varying(17, _bytes)),
    "jsonb": ("jsonb", _varying(3802, lambda value: b"\x01" + value.encode())),
    "text": _TEXT,
    "character varying": _TEXT,
    "inet": _TEXT,
    "tsvector": _TEXT,
}
