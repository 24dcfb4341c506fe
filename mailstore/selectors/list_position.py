"""Jumps: the key of a page by number, or of a moment.

Numbers go through anchors, every 1,000th key, kept per process while the folder's membership stays the same.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from typing import Any

from core.access import Access
from mailstore import sql
from mailstore.fields import mailbox_of
from mailstore.selectors.folders import FolderRow, open_folder
from mailstore.selectors.list_filter import ALL, Filter
from mailstore.selectors.list_order import NATURAL, By, Key, Sort, Walk
from mailstore.selectors.list_row import UNCOUNTED
from mailstore.selectors.list_walk import EVERYTHING, KINDS, Asked, is_straight, ordered, span, total_of, unindexed

ANCHOR_ROWS = 1_000
ANCHOR_FOLDERS = 500
"""Folders whose anchors a process keeps: 100 keys for one of 100,000 mails."""
MAX_ID = (1 << 63) - 1


class Anchors:
    """Every ANCHOR_ROWSth key of the folders that were jumped in, for as long as their membership stays."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], list[Key]] = OrderedDict()

    def of(self, version: tuple[object, ...]) -> list[Key]:
        """The anchors found so far, first row first; a new list for a new version."""
        with self._lock:
            found = self._kept.setdefault(version, [])
            self._kept.move_to_end(version)
            while len(self._kept) > ANCHOR_FOLDERS:
                self._kept.popitem(last=False)
            return found

    def clear(self) -> None:
        """Forget (tests)."""
        with self._lock:
            self._kept.clear()


anchors = Anchors()


def position(
    access: Access,
    folder_id: int,
    page_number: int,
    page_size: int,
    *,
    filter: Filter = ALL,  # noqa: A002 - the contract's name
    sort: Sort = NATURAL,
    folder: FolderRow | None = None,
) -> Key | None:
    """The key after which page `page_number` (from 1) begins: None for the first, and where pages have no numbers
    (`is_straight`). Beyond the end: where the last page begins. For a filter that nothing counts, beyond the end is the
    last row. `folder` spares a query where it has just been opened with this access."""
    folder = folder or open_folder(access, folder_id)
    if not is_straight(filter, sort):
        return None
    total = total_of(filter, folder)
    pages = max(1, -(-total // page_size)) if total != UNCOUNTED else page_number
    row_number = (max(1, min(page_number, pages)) - 1) * page_size
    return _key_at(folder, (filter, sort), row_number) if row_number else None


def key_of_moment(at_us: int, *, oldest_first: bool = False) -> Key:
    """The key after which the mails up to and with a moment begin, newest first; those from it on, oldest first."""
    return Key(at_us, 0 if oldest_first else MAX_ID)


def rank(
    folder: FolderRow,
    key: Key,
    *,
    filter: Filter = ALL,  # noqa: A002 - the contract's name
    sort: Sort = NATURAL,
) -> int | None:
    """How many rows of an opened folder stand before `key`, by date; None where pages have no numbers."""
    if not is_straight(filter, sort) or sort.by is not By.DATE:
        return None
    way = (filter, sort)
    if not _road(folder, way).is_indexed:
        return _between(folder, way, None, key)
    known = _anchors(folder, way)
    sign = 1 if sort.reverse else -1

    def is_before(other: Key) -> bool:
        return (sign * other.sort_us, sign * other.id) <= (sign * key.sort_us, sign * key.id)

    while (not known or is_before(known[-1])) and (len(known) + 1) * ANCHOR_ROWS <= folder.total:
        count = len(known)
        _extend(folder, way, known, count + 1)
        if len(known) == count:
            break
    passed = sum(map(is_before, known))
    return passed * ANCHOR_ROWS + _between(folder, way, known[passed - 1] if passed else None, key)


def _between(folder: FolderRow, way: tuple[Filter, Sort], start: Key | None, end: Key) -> int:
    """Rows after `start` up to `end`: fewer than ANCHOR_ROWS."""
    road = _road(folder, way)
    after, values = road.walk.beyond(start)
    until, more = road.walk.until(end)
    query = f"SELECT count(*) FROM {road.source} WHERE {road.where}{after}{until}"
    return int(sql.row(query, [*road.values, *values, *more])[0])


def _key_at(folder: FolderRow, way: tuple[Filter, Sort], row_number: int) -> Key | None:
    """The key of the `row_number`th row (1 is the first)."""
    if not _road(folder, way).is_indexed:
        return _steps(folder, way, None, row_number - 1)
    known = _anchors(folder, way)
    _extend(folder, way, known, row_number // ANCHOR_ROWS)
    reached = min(row_number // ANCHOR_ROWS, len(known))
    start = known[reached - 1] if reached else None
    rest = row_number - reached * ANCHOR_ROWS
    if not rest:
        return start
    found = _steps(folder, way, start, rest - 1)
    return found or _steps(folder, (way[0], Sort(way[1].by, reverse=not way[1].reverse)), None, 0)


def _anchors(folder: FolderRow, way: tuple[Filter, Sort]) -> list[Key]:
    version = (folder.uidnext, folder.total) if way[0] == ALL else (folder.highestmodseq,)
    return anchors.of((folder.id, way, *version))


def _extend(folder: FolderRow, way: tuple[Filter, Sort], known: list[Key], count: int) -> None:
    """Walk on until `count` anchors are known; each step reads 1,000 keys of the index and nothing else."""
    while len(known) < count:
        found = _steps(folder, way, known[-1] if known else None, ANCHOR_ROWS - 1)
        if found is None:
            return
        known.append(found)


def _steps(folder: FolderRow, way: tuple[Filter, Sort], start: Key | None, skip: int) -> Key | None:
    road = _road(folder, way)
    condition, parameters = road.walk.beyond(start)
    query = (
        f"SELECT {road.walk.key} FROM {road.source} WHERE {road.where}{condition} "
        f"ORDER BY {road.walk.order} LIMIT 1 OFFSET %s"
    )
    row: Any = sql.row(query, [*road.values, *parameters, skip])
    return Key(*row) if row else None


@dataclasses.dataclass(frozen=True, slots=True)
class _Road:
    """The walk, and FROM, WHERE and parameters of the rows it leads through. Where no index gives the order, each step
    costs as much as the folder is large, so there is only one."""

    walk: Walk
    source: str
    where: str
    values: list[object]
    is_indexed: bool


def _road(folder: FolderRow, way: tuple[Filter, Sort]) -> _Road:
    wanted, sort = way
    driver, rest = wanted.driver(ready=folder.orders_ready)
    leading, walk = driver or EVERYTHING, sort.walk()
    is_indexed = not rest
    if sort.by in KINDS:
        is_indexed = bool(folder.orders_ready & KINDS[sort.by])
        leading = ordered(KINDS[sort.by]) if is_indexed else EVERYTHING
        walk = sort.walk(value="" if is_indexed else unindexed(sort.by))
    walk = leading.walk(walk)
    source, where, values = leading.source(mailbox_of(folder.id), folder.id)
    for text, more in (span(Asked(wanted, sort), walk), *(each.residual for each in rest)):
        where, values = f"{where}{text}", [*values, *more]
    return _Road(walk, source, where, values, is_indexed)
