"""Queries of the ORM whose SQL is built once: for the few rows that every request reads.

The ORM takes ten times as long to put such a query together as the database takes to answer it. What it builds is kept
for each thread, because a compiler holds its connection.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=models.Model)


class Prepared(Generic[M]):
    """`make(value)` is a queryset whose only parameter is `value`; `select_related` may be used, annotations not."""

    def __init__(self, make: Callable[[Any], models.QuerySet[M]]) -> None:
        self._make = make
        self._built = threading.local()

    def first(self, value: int | str) -> M | None:
        """The first row for `value`, made a model as the ORM would; one query."""
        built = self._query(value)
        with built.connection.cursor() as cursor:
            cursor.execute(built.sql, [value])
            row = cursor.fetchone()
        return None if row is None else built.model(row)

    def all(self, value: int | str) -> list[M]:
        """All rows for `value`; one query."""
        built = self._query(value)
        with built.connection.cursor() as cursor:
            cursor.execute(built.sql, [value])
            return [built.model(row) for row in cursor.fetchall()]

    def _query(self, value: int | str) -> _Built:
        connection = connections[DEFAULT_DB_ALIAS]
        built: _Built | None = getattr(self._built, "query", None)
        if built is None or built.connection is not connection:
            built = self._built.query = _Built(self._make(value), connection)
        return built


class _Built:
    """A compiled query and how its rows become models."""

    def __init__(self, queryset: models.QuerySet[Any], connection: Any) -> None:
        self.connection = connection
        self._compiler: Any = queryset.query.get_compiler(connection=connection)
        self.sql, parameters = self._compiler.as_sql()
        if len(parameters) != 1:
            raise ValueError(f"one parameter is wanted, not {len(parameters)}")
        info = self._compiler.klass_info
        # What the compiler would gather anew for every row: with fifty columns, most of the cost of one.
        self._converters = self._compiler.get_converters([column[0] for column in self._compiler.select])
        self._class = info["model"]
        self._span = slice(info["select_fields"][0], info["select_fields"][-1] + 1)
        self._names = [column[0].target.attname for column in self._compiler.select[self._span]]
        populators: Any = get_related_populators  # its stub is of a later Django
        self._related = populators(info, self._compiler.select, connection.alias)

    def model(self, row: Any) -> Any:
        """The instance, with those it is joined to."""
        (values,) = self._compiler.apply_converters([row], self._converters)
        found = self._class.from_db(self.connection.alias, self._names, values[self._span])
        for populator in self._related:
            populator.populate(values, found)
        return found
