"""Many rows in few statements: every row arrives, conflicts and errors are what Django's own cursor would give."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from core.bulk import SIZES, executed, insert_rows, update_rows

COLUMNS = "sha256, size, codec, dictionary, data, key, touched_s"
pytestmark = pytest.mark.django_db


def rows(count: int) -> list[tuple[object, ...]]:
    """Rows of the blob table."""
    return [(b"%032d" % number, number, 0, 0, b"%d;'%%s", "", 7) for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 40, sum(SIZES) * 2])
def test_every_row_is_inserted_and_returned_in_order(count: int) -> None:
    with transaction.atomic():
        found = insert_rows("mailstore_blob", COLUMNS, rows(count), "RETURNING size")
        assert [size for (size,) in found] == list(range(count))
        with executed("SELECT count(*), sum(size) FROM mailstore_blob") as cursor:
            assert cursor.fetchone() == (count, sum(range(count)) if count else None)


def test_rows_that_are_there_already_are_left_out_of_the_answer() -> None:
    with transaction.atomic():
        insert_rows("mailstore_blob", COLUMNS, rows(3))
        tail = "ON CONFLICT (sha256) DO NOTHING RETURNING size"
        assert insert_rows("mailstore_blob", COLUMNS, rows(5), tail) == [(3,), (4,)]


def test_rows_are_updated_by_their_id() -> None:
    with transaction.atomic():
        ids = [found[0] for found in insert_rows("mailstore_blob", COLUMNS, rows(7), "RETURNING id")]
        update_rows(
            "mailstore_blob", ("size", "touched_s"), [(each, number * 10, 9) for number, each in enumerate(ids)]
        )
        with executed("SELECT size, touched_s FROM mailstore_blob WHERE id = %s", [ids[6]]) as cursor:
            assert cursor.fetchone() == (60, 9)
        update_rows("mailstore_blob", ("size", "touched_s"), [(ids[6], 61, 8)])
        with executed("SELECT size, touched_s FROM mailstore_blob ORDER BY size") as cursor:
            assert cursor.fetchall() == [*((number * 10, 9) for number in range(6)), (61, 8)]
        update_rows("mailstore_blob", ("size",), [])


def test_an_error_is_djangos_and_breaks_the_transaction_as_it_should() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows("mailstore_blob", COLUMNS, [*rows(2), rows(1)[0]])
    with executed("SELECT count(*) FROM mailstore_blob") as cursor:
        assert cursor.fetchone() == (0,)


def test_what_watches_queries_sees_these_too() -> None:
    seen: list[str] = []

    def note(execute, query, parameters, many, context):  # type: ignore[no-untyped-def]
        seen.append(query)
        return execute(query, parameters, many, context)

    with transaction.atomic(), connection.execute_wrapper(note):
        insert_rows("mailstore_blob", COLUMNS, rows(2))
    assert len(seen) == 1
