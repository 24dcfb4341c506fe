"""Queries of the ORM whose SQL is built once: for the few rows that every request reads.

The ORM takes ten times as long to put such a query together as the database takes to answer it. What it builds is kept
for each thread, because a compiler holds its connection. Making models of the rows takes longer than reading them too: a
row that is as it was the last time gives a copy of what was made then.
"""

from __future__ import annotations

import datetime
import decimal
import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.base import ModelState
from django.db.models.query import get_related_populators

from core.bulk import executed

M = TypeVar("M", bound=models.Model)


class Prepared(Generic[M]):
    """`make(value)` is a queryset whose only parameter is `value`; `select_related` may be used, annotations not."""

    def __init__(self, make: Callable[[Any], models.QuerySet[M]]) -> None:
        self._make = make
        self._built = threading.local()

    def first(self, value: int | str) -> M | None:
        """The first row for `value`, made a model as the ORM would; one query."""
        built = self._query(value)
        with executed(built.sql, [value]) as cursor:
            row = cursor.fetchone()
        return None if row is None else built.models([row])[0]

    def all(self, value: int | str) -> list[M]:
        """All rows for `value`; one query."""
        built = self._query(value)
        with executed(built.sql, [value]) as cursor:
            rows = cursor.fetchall()
        return built.models(rows)

    def _query(self, value: int | str) -> _Built:
        connection = connections[DEFAULT_DB_ALIAS]
        built: _Built | None = getattr(self._built, "query", None)
        if built is None or built.connection is not connection:
            built = self._built.query = _Built(self._make(value), connection)
        return built


MADE_MAX = 256
"""Rows whose models a thread remembers of one query: a few kilobytes each."""
SCALARS = (str, bytes, int, float, decimal.Decimal, datetime.date, datetime.time, datetime.timedelta, uuid.UUID)
"""Values that nobody can change in place (with None); models that hold others are made anew."""


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
        self._made: dict[tuple[Any, ...], Any] = {}

    def models(self, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Of each row the instance, with those it is joined to; nobody else has it."""
        return [self._model(row) for row in rows]

    def _model(self, row: tuple[Any, ...]) -> Any:
        try:
            made = self._made.get(row)
        except TypeError:  # a column's value can't be a key
            return self._new(row)
        if made is None:
            made = self._new(row)
            if _is_plain(made):
                if len(self._made) >= MADE_MAX:
                    self._made.clear()
                self._made[row] = _copied(made)
            return made
        return _copied(made)

    def _new(self, row: tuple[Any, ...]) -> Any:
        (values,) = self._compiler.apply_converters([row], self._converters)
        found = self._class.from_db(self.connection.alias, self._names, values[self._span])
        for populator in self._related:
            populator.populate(values, found)
        return found


def _is_plain(model: models.Model) -> bool:
    values = (value for name, value in vars(model).items() if name != "_state")
    joined = model._state.fields_cache.values()
    return all(value is None or isinstance(value, SCALARS) for value in values) and all(
        each is None or _is_plain(each) for each in joined
    )


def _copied(model: Any) -> Any:
    """As it was read, without what was loaded or changed since."""
    state = ModelState()
    state.db, state.adding = model._state.db, False
    joined = model._state.fields_cache
    state.fields_cache = {name: None if each is None else _copied(each) for name, each in joined.items()}
    copied = object.__new__(type(model))
    vars(copied).update(vars(model), _state=state)
    return copied
