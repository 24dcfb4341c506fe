"""Pages of a log by key: a page costs the same wherever it lies and however much comes in meanwhile.

A log may be the union of several walks, each in the order of its index; they are merged here. Only a jump to a numbered
page counts rows, and only while the log is counted at all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

from mailstore.selectors.list_row import UNCOUNTED

COUNTED_MAX = 10_000
"""Lines that are counted, and to which one can jump by number."""
PARTS_MAX = 3

Row = TypeVar("Row", bound=Model)
Key = tuple[int, ...]
"""Of a line: the values of the order's columns."""
Order = Sequence[str]
"""Columns of whole numbers as `order_by` takes them, the last of which decides; related ones are loaded with the row."""


def parse_key(text: str) -> Key | None:
    """What an address says; None for nonsense."""
    parts = text.split(".")
    if len(parts) > PARTS_MAX or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        return None
    return tuple(int(part) for part in parts)


@dataclasses.dataclass(frozen=True, slots=True)
class Where:
    """Which page: behind a key, before one, or the one of this number."""

    number: int = 1
    after: Key | None = None
    before: Key | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class LogPage(Generic[Row]):
    """`total`: how many lines there are, UNCOUNTED beyond COUNTED_MAX. `previous` and `next`: the keys to go on from."""

    rows: list[Row]
    total: int
    previous: Key | None
    next: Key | None


def log_page(
    walks: Sequence[QuerySet[Row]], every: QuerySet[Row], order: Order, where: Where, size: int
) -> LogPage[Row]:
    """A page of what is in any of `walks`; `every` is all of it in one query, for counting. A key that is not of this
    order counts as none."""
    total = every.order_by()[: COUNTED_MAX + 1].count()
    after, before = (key if key and len(key) == len(order) else None for key in (where.after, where.before))
    if after is None and before is None and 1 < where.number <= COUNTED_MAX // size:
        after = _key_at(every, order, (where.number - 1) * size - 1)
    backwards = after is None and before is not None
    found = _merged(walks, _turned(order) if backwards else order, before if backwards else after, size + 1)
    is_more, rows = len(found) > size, found[:size]
    if backwards:
        rows.reverse()
    has_previous = is_more if backwards else after is not None
    has_next = before is not None if backwards else is_more
    return LogPage(
        rows,
        total if total <= COUNTED_MAX else UNCOUNTED,
        _key(rows[0], order) if rows and has_previous else None,
        _key(rows[-1], order) if rows and has_next else None,
    )


def _merged(walks: Sequence[QuerySet[Row]], order: Order, after: Key | None, limit: int) -> list[Row]:
    found: dict[Any, Row] = {}
    for walk in walks:
        rows = walk.filter(_behind(order, after)) if after is not None else walk
        found.update((row.pk, row) for row in rows.order_by(*order)[:limit])
    signs = [-1 if name.startswith("-") else 1 for name in order]
    ordered = sorted(found.values(), key=lambda row: [s * v for s, v in zip(signs, _key(row, order), strict=True)])
    return ordered[:limit]


def _behind(order: Order, key: Key) -> Q:
    """a <= x AND (a < x OR behind in the rest): the form that both engines walk an index for."""
    name, test = order[0].removeprefix("-"), "lt" if order[0].startswith("-") else "gt"
    further = Q(**{f"{name}__{test}": key[0]})
    if len(key) == 1:
        return further
    return Q(**{f"{name}__{test}e": key[0]}) & (further | _behind(order[1:], key[1:]))


def _turned(order: Order) -> Order:
    return [name[1:] if name.startswith("-") else f"-{name}" for name in order]


def _key_at(every: QuerySet[Row], order: Order, place: int) -> Key | None:
    names = [name.removeprefix("-") for name in order]
    return next(iter(every.order_by(*order).values_list(*names)[place : place + 1]), None)


def _key(row: Model, order: Order) -> Key:
    return tuple(_value(row, name.removeprefix("-")) for name in order)


def _value(row: Any, name: str) -> int:
    for part in name.split("__"):
        row = getattr(row, part)
    return int(row)
