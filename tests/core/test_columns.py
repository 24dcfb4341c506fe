"""Rows for PostgreSQL as columns: every type as it was given, and what is not of its type as Django's cursor takes it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core import columns
from core.bulk import ahead, insert_rows, update_rows

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite takes rows"),
]
AT = datetime.datetime(1998, 2, 3, 4, 5, 6, 789_012, datetime.timezone(datetime.timedelta(hours=8)))
VALUES: dict[str, list[Any]] = {
    "bigint": [0, -(1 << 63), (1 << 63) - 1, None],
    "integer": [7, -(1 << 31), None, True],
    "smallint": [1, -32768, None],
    "boolean": [True, None, False],
    "double precision": [0.1, -1e300, None],
    "timestamptz": [AT, None, datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)],
    "date": [datetime.date(1999, 12, 31), datetime.date(2026, 2, 28), None],
    "bytea": [b"\x00%s\xff", b"", None, memoryview(b"x")],
    "text": ["中文'; \\ %s {}", "", None, "😀"],
    "varchar(9)": ["王小明", None],
    "inet": ["10.0.0.1", "2001:db8::1", None],
    "jsonb": ['{"a": ["中", null]}', None],
}
NAMES = {kind: f"c{number}" for number, kind in enumerate(VALUES)}


@pytest.fixture
def table() -> Iterator[str]:
    """A table with a column of each type."""
    with transaction.atomic(), connection.cursor() as cursor:
        made = ", ".join(f"{name} {kind}" for kind, name in NAMES.items())
        cursor.execute(f"CREATE TEMPORARY TABLE test_columns (id bigint PRIMARY KEY, {made}) ON COMMIT DROP")
        yield "test_columns"


def read(name: str) -> list[Any]:
    """A column by id."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM test_columns ORDER BY id")
        return [bytes(row[0]) if isinstance(row[0], memoryview) else row[0] for row in cursor.fetchall()]


def plain(kind: str, value: Any) -> Any:
    """As the database gives it back."""
    return value if value is None or kind != "jsonb" else json.loads(value)


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("times", [1, 1_100])
def test_what_is_inserted_and_updated_comes_back(table: str, kind: str, times: int) -> None:
    values = VALUES[kind] * times
    rows = [(number, value) for number, value in enumerate(values)]
    assert columns.insert_all(connection, table, f"id, {NAMES[kind]}", rows, "") == []
    back = [json.loads(v) if isinstance(v, str) and kind == "jsonb" else v for v in read(NAMES[kind])]
    assert back == [plain(kind, value) for value in values]
    assert columns.update_all(connection, table, [NAMES[kind]], [(number, values[-1 - number]) for number, _ in rows])
    back = [json.loads(v) if isinstance(v, str) and kind == "jsonb" else v for v in read(NAMES[kind])]
    assert back == [plain(kind, value) for value in values[::-1]]


def test_a_value_of_another_type_goes_djangos_way(table: str) -> None:
    number, text = NAMES["bigint"], NAMES["text"]
    for kind, value in (("bigint", "12"), ("text", 12), ("bytea", 12)):
        assert columns.insert_all(connection, table, f"id, {NAMES[kind]}", [(1, value)], "") is None
    insert_rows(table, f"id, {number}, {text}", [(1, "12", 34)])
    update_rows(table, [number], [(1, 2)])
    assert (read(number), read(text)) == ([2], ["34"])


def test_a_text_with_nul_is_an_error_of_the_data(table: str) -> None:
    with pytest.raises(DataError), transaction.atomic():
        insert_rows(table, f"id, {NAMES['text']}", [(1, "a\0b")])
    assert read("id") == []


def test_a_number_too_large_is_an_error_of_the_data(table: str) -> None:
    with pytest.raises(DataError), transaction.atomic():
        insert_rows(table, f"id, {NAMES['integer']}", [(1, 1 << 40)])
    assert read("id") == []


def test_one_statement_for_any_number_of_rows_stays_prepared(table: str) -> None:
    for number in range(4):
        insert_rows(table, "id", [(number * 10 + each,) for each in range(number + 1)])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'INSERT INTO test_columns (id)%%'"
        )
        assert cursor.fetchone() == (1,)


def test_an_update_stays_prepared_and_its_errors_are_djangos(table: str) -> None:
    name = NAMES["varchar(9)"]
    insert_rows(table, f"id, {name}", [(1, "a")])
    for count in (1, 2, 3):
        update_rows(table, [name], [(1, "b")] * count)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", [f"UPDATE {table} SET {name} =%"]
        )
        assert cursor.fetchone() == (1,)
    with pytest.raises(DataError), transaction.atomic():
        update_rows(table, [name], [(1, "more than nine")])
    assert read(name) == ["b"]


def test_what_many_rows_return_is_whole(table: str) -> None:
    rows = [(number,) for number in range(columns.ROWS + 2)]
    assert columns.insert_all(connection, table, "id", rows, "RETURNING id") == rows
    parts = columns._packed([lambda values: bytes(len(values))], [(1,)] * (2 * columns.ROWS + 1))
    assert [len(part[0]) for part in parts] == [columns.ROWS, columns.ROWS, 1]


def test_only_in_a_sound_transaction_that_nobody_looks_at(table: str) -> None:
    def is_possible() -> bool:
        return columns.insert_all(connection, table, "id", [], "") is not None

    assert is_possible()
    with connection.execute_wrapper(lambda execute, *given: execute(*given)):
        assert not is_possible()
    with CaptureQueriesContext(connection):
        assert not is_possible()
    connection.needs_rollback = True
    assert not is_possible()
    connection.needs_rollback = False


@pytest.mark.django_db(transaction=True)
def test_another_connection_has_a_cursor_of_its_own() -> None:
    assert columns.insert_all(connection, "core_none", "id", [], "") is None, "outside a transaction"
    with transaction.atomic():
        columns._cursor(connection)
    connection.close()
    with transaction.atomic():
        assert columns._cursor(connection).connection is connection.connection


def test_a_rollback_between_does_not_matter(table: str) -> None:
    for number in range(4):
        with transaction.atomic():
            insert_rows(table, "id", [(number,)])
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            insert_rows(table, "id", [(900,)])
            raise ZeroDivisionError
    assert read("id") == [0, 1, 2, 3]


def test_rows_that_are_sent_ahead_are_there_for_the_next_statement(table: str) -> None:
    name = NAMES["text"]
    with ahead():
        insert_rows(table, f"id, {name}", [(1, "a"), (2, "b")])
        update_rows(table, [name], [(1, "c")])
        assert read(name) == ["c", "b"], "a question inside waits for what was sent"
        insert_rows(table, f"id, {name}", [(3, 12)])  # Django's way
    assert read(name) == ["c", "b", "12"]


def test_what_goes_wrong_with_rows_sent_ahead_is_djangos_error_and_ends_with_the_transaction(table: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), ahead():
        insert_rows(table, "id", [(1,), (1,)])
        insert_rows(table, "id", [(2,)])
        insert_rows(table, "id", [(3,)])
    with pytest.raises(ZeroDivisionError), transaction.atomic(), ahead():
        insert_rows(table, "id", [(1,)])
        raise ZeroDivisionError
    with transaction.atomic(), ahead():
        insert_rows(table, "id", [(4,)])
    assert read("id") == [4]
