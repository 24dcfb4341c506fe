"""Raw SQL for the hot paths: the few words in which both engines differ, and lists as parameters."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django.db import connection

from core.bulk import executed

T = TypeVar("T")

SLICE = 1_000
"""Rows that one transaction of a bulk service touches, and parameters of one IN list."""


def marks(values: Sequence[object]) -> str:
    """`%s, %s, …` for an IN list; an empty one matches nothing."""
    return ", ".join(["%s"] * len(values)) or "NULL"


def among(column: str) -> str:
    """`column` is one of any number of whole numbers; the parameter is `numbers(…)`."""
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s::bigint[])"
    return f"{column} IN (SELECT value FROM json_each(%s))"


def numbered() -> str:
    """A table `n` of numbers (`n.value`) with their places from 0 (`n.place`); the parameter is `numbers(…)`."""
    if connection.vendor == "postgresql":
        return "(SELECT value, place - 1 AS place FROM unnest(%s::bigint[]) WITH ORDINALITY AS u(value, place)) AS n"
    return "(SELECT value, key AS place FROM json_each(%s)) AS n"


def numbers(values: Sequence[int]) -> str:
    """The parameter of `among` and `numbered`: one text, so that the statement is the same for a thousand and for one
    (the driver of PostgreSQL takes 5 µs for each number of a list)."""
    text = json.dumps(list(values))
    return f"{{{text[1:-1]}}}" if connection.vendor == "postgresql" else text


def pairs(values: Sequence[tuple[int, int]]) -> str:
    """A table of `values` with column1 and column2; the parameters are `pair_numbers(…)`."""
    if connection.vendor == "postgresql":
        return "(SELECT column1, column2 FROM unnest(%s::bigint[], %s::bigint[]) AS pair (column1, column2))"
    return f"(VALUES {', '.join(['(%s, %s)'] * len(values))})"


def pair_numbers(values: Sequence[tuple[int, int]]) -> list[Any]:
    """The parameters of `pairs`."""
    if connection.vendor == "postgresql":
        return [numbers([pair[0] for pair in values]), numbers([pair[1] for pair in values])]
    return [number for pair in values for number in pair]


def collected(expression: str) -> str:
    """An aggregate of whole numbers that may go back as a parameter of `among`, never looked at here; `listed` does."""
    if connection.vendor == "postgresql":
        return f"array_agg({expression})::text"
    return f"json_group_array({expression})"


def listed(value: str) -> list[int]:
    """The numbers of `collected`."""
    found: list[int] = json.loads(f"[{value[1:-1]}]")
    return found


def rows(statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
    """All rows of a query, as tuples."""
    with executed(statement, parameters) as cursor:
        return list(cursor.fetchall())


def row(statement: str, parameters: Sequence[Any] = ()) -> Any:
    """The first row, or None."""
    with executed(statement, parameters) as cursor:
        return cursor.fetchone()


def run(statement: str, parameters: Sequence[Any] = ()) -> int:
    """Execute one statement; how many rows it changed."""
    with executed(statement, parameters) as cursor:
        return int(cursor.rowcount)


def run_many(statement: str, parameters: Sequence[Sequence[Any]]) -> None:
    """Execute one statement for each row of parameters; nothing for none."""
    if parameters:
        with connection.cursor() as cursor:
            cursor.executemany(statement, parameters)


def insert(table: str, columns: str) -> str:
    """INSERT INTO table (columns) VALUES (…), one mark for each column."""
    return f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * len(columns.split(',')))})"


def for_update() -> str:
    """The lock clause: SQLite's BEGIN IMMEDIATE has the whole file already."""
    return " FOR UPDATE" if connection.vendor == "postgresql" else ""


def like() -> str:
    """The case-insensitive LIKE (SQLite's folds ASCII only)."""
    return "ILIKE" if connection.vendor == "postgresql" else "LIKE"


def escaped(text: str) -> str:
    r"""`text` for a LIKE pattern with ESCAPE '\'."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def slices(values: Iterable[T], size: int = SLICE) -> Iterator[list[T]]:
    """`values` in lists of at most `size`."""
    rest = iter(values)
    while part := list(itertools.islice(rest, size)):
        yield part
