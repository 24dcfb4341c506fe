"""Jumps: the key of a page by number, or of a moment.

Numbers go through anchors, about every 1,000th key, kept in the process. Mail that came since moves them; mail that left
makes them worthless, because nobody can say from where. Walking begins at the nearer end.
"""

from __future__ import annotations

import bisect
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


Version = tuple[int, ...]
"""What a folder's row says as long as the rows of a list stay where they are."""


@dataclasses.dataclass(frozen=True, slots=True)
class Marks:
    """Anchors of a list: some rows' numbers (the first is 1) with their keys, ascending."""

    version: Version
    rows: list[tuple[int, Key]]


class Anchors:
    """About every ANCHOR_ROWSth key of the lists that were jumped in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], Marks] = OrderedDict()

    def get(self, place: tuple[object, ...]) -> Marks | None:
        """What is kept of a list, of whatever version."""
        with self._lock:
            found = self._kept.get(place)
            if found is not None:
                self._kept.move_to_end(place)
            return found

    def put(self, place: tuple[object, ...], marks: Marks) -> Marks:
        """Keep the newest."""
        with self._lock:
            self._kept[place] = marks
            self._kept.move_to_end(place)
            while len(self._kept) > ANCHOR_FOLDERS:
                self._kept.popitem(last=False)
        return marks

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
    marks = _marks(folder, way)
    here = _place(way[1], key)
    passed = bisect.bisect_right(marks.rows, here, key=lambda row: _place(way[1], row[1]))
    reached, start = marks.rows[passed - 1] if passed else (0, None)
    made = []
    while reached + ANCHOR_ROWS <= folder.total:
        found = _steps(folder, way, start, ANCHOR_ROWS - 1)
        if found is None or _place(way[1], found) > here:
            break
        reached, start = reached + ANCHOR_ROWS, found
        made.append((reached, start))
    _keep(folder, way, marks, made)
    return reached + _between(folder, way, start, key)


def _place(sort: Sort, key: Key) -> tuple[int, int]:
    """A key in an order of numbers, so that earlier rows are smaller."""
    sign = 1 if sort.walk().up else -1
    return sign * key.sort_us, sign * key.id


def _between(folder: FolderRow, way: tuple[Filter, Sort], start: Key | None, end: Key) -> int:
    """Rows after `start` up to `end`: fewer than ANCHOR_ROWS."""
    road = _road(folder, way)
    after, values = road.walk.beyond(start)
    until, more = road.walk.until(end)
    query = f"SELECT count(*) FROM {road.source} WHERE {road.where}{after}{until}"
    return int(sql.row(query, [*road.values, *values, *more])[0])


def _key_at(folder: FolderRow, way: tuple[Filter, Sort], row_number: int) -> Key | None:
    """The key of the `row_number`th row (1 is the first), walked to from the nearer end."""
    if not _road(folder, way).is_indexed:
        return _steps(folder, way, None, row_number - 1)
    total, backwards = total_of(way[0], folder), (way[0], Sort(way[1].by, reverse=not way[1].reverse))
    if total != UNCOUNTED and row_number > total // 2 + 1:
        return _walked_to(folder, backwards, max(1, total - row_number + 1))
    return _walked_to(folder, way, row_number) or _steps(folder, backwards, None, 0)


def _walked_to(folder: FolderRow, way: tuple[Filter, Sort], row_number: int) -> Key | None:
    """From the last anchor before it, making anchors where they are far apart: each reads 1,000 keys of the index and
    nothing else."""
    marks = _marks(folder, way)
    passed = bisect.bisect_right(marks.rows, row_number, key=lambda row: row[0])
    reached, start = marks.rows[passed - 1] if passed else (0, None)
    made = []
    while row_number - reached >= ANCHOR_ROWS:
        found = _steps(folder, way, start, ANCHOR_ROWS - 1)
        if found is None:
            break
        reached, start = reached + ANCHOR_ROWS, found
        made.append((reached, start))
    _keep(folder, way, marks, made)
    return start if reached == row_number else _steps(folder, way, start, row_number - reached - 1)


def _marks(folder: FolderRow, way: tuple[Filter, Sort]) -> Marks:
    place = (folder.id, way)
    version = (folder.uidnext, folder.total) if way[0] == ALL else (folder.highestmodseq,)
    known = anchors.get(place)
    if known is not None and known.version == version:
        return known
    moved = _moved(folder, way, known) if known is not None and known.rows else None
    return anchors.put(place, moved or Marks(version, []))


def _moved(folder: FolderRow, way: tuple[Filter, Sort], known: Marks) -> Marks | None:
    """The same anchors with the numbers they have since a few mails came; None where more has happened. Folder and mails
    are read at one moment."""
    if way[0] != ALL or way[1].by.is_text:
        return None
    column = way[1].by.column
    query = (
        f"SELECT f.uidnext, f.total, e.{column}, e.id FROM mailstore_folder f LEFT JOIN mailstore_entry e "
        f"ON e.folder_id = f.id AND e.uid >= %s WHERE f.id = %s LIMIT {ANCHOR_ROWS + 1}"
    )
    found = sql.rows(query, [known.version[0], folder.id])
    came = sorted(_place(way[1], Key(*row[2:])) for row in found if row[3] is not None)
    version = (folder.uidnext, folder.total)
    if not found or found[0][:2] != version or len(came) > ANCHOR_ROWS or known.version[1] + len(came) != folder.total:
        return None
    return Marks(version, [(row + bisect.bisect_left(came, _place(way[1], key)), key) for row, key in known.rows])


def _keep(folder: FolderRow, way: tuple[Filter, Sort], marks: Marks, made: list[tuple[int, Key]]) -> None:
    """New anchors, if the list is still the one that they were read for."""
    if not made:
        return
    columns = "uidnext, total" if way[0] == ALL else "highestmodseq"
    if sql.row(f"SELECT {columns} FROM mailstore_folder WHERE id = %s", [folder.id]) == marks.version:
        anchors.put((folder.id, way), Marks(marks.version, sorted({*marks.rows, *made}, key=lambda row: row[0])))


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
    through = leading.source if rest else leading.keys
    source, where, values = through(mailbox_of(folder.id), folder.id)
    for text, more in (span(Asked(wanted, sort), walk), *(each.residual for each in rest)):
        where, values = f"{where}{text}", [*values, *more]
    return _Road(walk, source, where, values, is_indexed)
