"""A page of a folder: which index leads through it, in which order, and how far one call looks.

Three roads. The straight one walks one index that gives both the matches and the order. The bounded one walks the best
index there is and checks the other conditions row by row, at most SCAN_ROWS of them; its page may be short, with a key
to go on from. The sorted one goes through all matches and keeps the page: where they are few, and where an order is not
kept for the folder (it is small, or the order is being filled: `mailstore.services.orders`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.orders import NUMBERS, Kind
from mailstore.selectors.folders import FolderRow, is_locked, open_folder
from mailstore.selectors.list_filter import ALL, NOTHING, Condition, Counters, Filter, Part, in_order, key_condition
from mailstore.selectors.list_order import NATURAL, By, Key, Sort, Walk
from mailstore.selectors.list_row import ROW_COLUMNS, ROW_JOINS, UNCOUNTED, ListRow, Page

SCAN_ROWS = 2_000
SMALL_ROWS = 5_000
UNFILLED_ROWS = 200_000
"""Rows that a page of one sender's mails looks at while that order is not there (60 ms for 100,000)."""

EVERYTHING = Condition("all", NOTHING, NOTHING)
KINDS = {By.SENDER: Kind.SENDER, By.SUBJECT: Kind.SUBJECT, By.SIZE: Kind.SIZE}
"""The kept order of what is not by date."""


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What a page is asked for."""

    filter: Filter = ALL
    sort: Sort = NATURAL
    after: Key | None = None
    before: Key | None = None
    limit: int = 50

    @property
    def key(self) -> Key | None:
        """Where to start, in the direction of `walk`."""
        return self.before if self.before is not None else self.after

    def walk(self, value: str = "") -> Walk:
        """The direction."""
        return self.sort.walk(backwards=self.before is not None, value=value)


def walk_folder(access: Access, folder_id: int, asked: Asked, *, folder: FolderRow | None = None) -> Page:
    """The page. NOT_FOUND, NO_PERMISSION for a locked folder, INVALID for a key of another order."""
    if asked.key is not None:
        asked.key.require(asked.sort)
    driver, rest = asked.filter.driver(ready=0)
    if asked.sort.by is By.DATE and not rest and (driver is None or driver.is_sorted):
        return _straight(access, folder_id, driver or EVERYTHING, asked)
    if folder is None or folder.id != folder_id:
        folder = open_folder(access, folder_id)
    counters = Counters(folder.total, folder.unread, folder.starred)
    driver, rest = asked.filter.driver(counters, ready=folder.orders_ready)
    way = _by_date if asked.sort.by is By.DATE else _by_value
    return way(folder, access.mailbox, asked, driver, rest)


def walk_source(mailbox: int, source: Condition, asked: Asked) -> Page:
    """A page of what `source` leads through, in its own order; bounded when `asked` has conditions."""
    driver, rest = asked.filter.driver()
    conditions = [driver, *rest] if driver else rest
    if conditions:
        return _bounded((mailbox, 0), source, conditions, asked)
    walk = source.walk(asked.walk())
    query, values = _select(source, (mailbox, 0), walk, [key_condition(walk, asked.key), asked.filter.range()])
    return _page(sql.rows(query, [*values, asked.limit + 1]), asked, total=UNCOUNTED)


def is_straight(filter: Filter, sort: Sort) -> bool:  # noqa: A002 - the contract's name
    """Whether one index gives matches and order, so that pages can be numbered."""
    driver, rest = filter.driver()
    if filter.text.strip() or rest:
        return False
    if sort.by is By.DATE:
        return driver is None or driver.is_sorted
    return driver is None and not filter.has_range()


def total_of(wanted: Filter, folder: FolderRow) -> int:
    """How many a folder's counters say there are, or UNCOUNTED. Where marked mails are left out, they are left out of
    the counters that are given, too."""
    return _total(dataclasses.replace(wanted, unmarked=False), (folder.total, folder.unread, folder.starred))


def _total(wanted: Filter, counters: Sequence[int]) -> int:
    total, unread, starred = counters
    counted = {ALL: total, Filter(unread=True): unread, Filter(starred=True): starred}
    return counted.get(wanted, UNCOUNTED)


def _straight(access: Access, folder_id: int, driver: Condition, asked: Asked) -> Page:
    """The folder and its page in one query."""
    walk = driver.walk(asked.walk())
    listed, values = _select(
        driver, (access.mailbox, folder_id), walk, [key_condition(walk, asked.key), span(asked, walk)]
    )
    folder = (
        "SELECT 0, lock_scope, 0, id, total, unread, starred, 0, 0, 0, 0, '', '', '', '', '', 0, 0 "
        "FROM mailstore_folder WHERE id = %s AND mailbox_id = %s"
    )
    query = f"{folder} UNION ALL SELECT 1, '', page.* FROM ({listed}) AS page"
    found = sql.rows(query, [folder_id, access.mailbox, *values, asked.limit + 1])
    head = next((row for row in found if row[0] == 0), None)
    if head is None:
        raise MailError(ErrorKind.NOT_FOUND)
    if is_locked(access, folder_id, head[1]):
        raise MailError(ErrorKind.NO_PERMISSION, locked=folder_id)
    rows = sorted((row[2:] for row in found if row[0] == 1), key=lambda row: (row[0], row[1]), reverse=not walk.up)
    return _page(rows, asked, total=_total(asked.filter, head[4:7]))


def _by_date(folder: FolderRow, mailbox: int, asked: Asked, driver: Condition | None, rest: list[Condition]) -> Page:
    """By date: straight with one condition, bounded with several, unless the marks that lead are few."""
    place = (mailbox, folder.id)
    if driver is not None and not driver.is_sorted:
        return _all_sorted(place, driver, rest, asked)
    if driver is not None and not rest:
        return _walked(place, driver, asked, total=_total(asked.filter, (folder.total, folder.unread, folder.starred)))
    is_unfilled = driver is None and bool(asked.filter.sender)
    return _bounded(place, driver or EVERYTHING, rest, asked, scan_rows=UNFILLED_ROWS if is_unfilled else SCAN_ROWS)


def _by_value(folder: FolderRow, mailbox: int, asked: Asked, driver: Condition | None, rest: list[Condition]) -> Page:
    """By sender, subject or size: straight, or small, or bounded."""
    place, kind = (mailbox, folder.id), KINDS[asked.sort.by]
    is_kept, leading = bool(folder.orders_ready & kind), driver or EVERYTHING
    total = total_of(asked.filter, folder)
    if driver is None and not rest and not asked.filter.has_range():
        way = _walked(place, ordered(kind), asked, total=total) if is_kept else _all_sorted(place, leading, [], asked)
        return dataclasses.replace(way, total=total)
    if not is_kept or _is_small(place, leading, asked.filter):
        return _all_sorted(place, leading, rest, asked)
    return _bounded(place, ordered(kind), [driver, *rest] if driver else rest, asked)


@dataclasses.dataclass(frozen=True, slots=True)
class Ordered(Condition):
    """Everything, by the kept order of a kind."""

    kind: Kind

    def source(self, mailbox: int, folder_id: int) -> tuple[str, str, list[object]]:
        """Through the order's places."""
        return in_order(self.kind, " AND o.hash = 0", mailbox, folder_id)

    def walk(self, walk: Walk) -> Walk:
        """By its own columns."""
        if self.kind in NUMBERS:
            return dataclasses.replace(walk, value="o.number", id="o.tie")
        return dataclasses.replace(walk, value="o.word", id="o.number", is_negated=True)


def ordered(kind: Kind) -> Ordered:
    """What leads through a folder by the order of a kind."""
    return Ordered("ordered", NOTHING, NOTHING, kind)


def _walked(place: tuple[int, int], driver: Condition, asked: Asked, *, total: int) -> Page:
    """Straight through what `driver` leads."""
    walk = driver.walk(asked.walk())
    query, values = _select(driver, place, walk, [key_condition(walk, asked.key), span(asked, walk)])
    return _page(sql.rows(query, [*values, asked.limit + 1]), asked, total=total)


def _is_small(place: tuple[int, int], driver: Condition, wanted: Filter) -> bool:
    source, where, values = driver.source(*place)
    span, bounds = wanted.range()
    query = f"SELECT count(*) FROM (SELECT 1 FROM {source} WHERE {where}{span} LIMIT {SMALL_ROWS + 1}) AS found"
    return int(sql.row(query, [*values, *bounds])[0]) <= SMALL_ROWS


def _all_sorted(place: tuple[int, int], driver: Condition, rest: list[Condition], asked: Asked) -> Page:
    """Every match is looked at, the page's are kept and read whole."""
    walk = asked.walk(unindexed(asked.sort.by))
    conditions = [*(each.residual for each in rest), asked.filter.range(), key_condition(walk, asked.key)]
    source, where, values = driver.source(*place)
    text, more = _joined(conditions)
    kept = f"SELECT {walk.value} AS value, e.id AS id FROM {source} WHERE {where}{text} ORDER BY {walk.order} LIMIT %s"
    order = dataclasses.replace(walk, value="k.value", id="k.id").order
    query = (
        f"SELECT k.value, {ROW_COLUMNS} FROM ({kept}) AS k CROSS JOIN mailstore_entry e {ROW_JOINS} "
        f"WHERE e.id = k.id AND m.id = e.message_id ORDER BY {order}"
    )
    return _page(sql.rows(query, [*values, *more, asked.limit + 1]), asked, total=UNCOUNTED)


def unindexed(by: By) -> str:
    """The column as an expression, which keeps the planner on the index that leads."""
    return f"(e.{by.column} || '')" if by.is_text else f"(e.{by.column} + 0)"


def span(asked: Asked, walk: Walk) -> Part:
    """The dates' bounds on the column that is walked by date, and what has no mark by the column of ids beside it."""
    text, values = asked.filter.range()
    if asked.sort.by is not By.DATE:
        return text, values
    return text.replace("e.sort_us", walk.value).replace("= e.id", f"= {walk.id}"), values


def _bounded(
    place: tuple[int, int], driver: Condition, rest: list[Condition], asked: Asked, *, scan_rows: int | None = None
) -> Page:
    """The next rows of the driver; the last of them is where to go on when the page is not full."""
    walk = driver.walk(asked.walk())
    is_by_date = asked.sort.by is By.DATE
    dates = span(asked, walk) if is_by_date else _unindexed(asked.filter.range())
    leading: list[Part] = [key_condition(walk, asked.key), dates] if is_by_date else [key_condition(walk, asked.key)]
    end = _end(place, driver, walk, leading, scan_rows or SCAN_ROWS)
    checked = [*(each.residual for each in rest), *([] if is_by_date else [dates])]
    query, values = _select(driver, place, walk, [*leading, walk.until(end), *checked])
    return _page(sql.rows(query, [*values, asked.limit + 1]), asked, total=UNCOUNTED, end=end)


def _unindexed(part: Part) -> Part:
    """A span of dates that no index answers."""
    return part[0].replace("e.sort_us", "e.sort_us + 0"), part[1]


def _end(
    place: tuple[int, int], driver: Condition, walk: Walk, conditions: Sequence[Part], scan_rows: int
) -> Key | None:
    """The key of the `scan_rows`th row, None when there are fewer; reads the index alone."""
    source, where, values = driver.keys(*place)
    text, more = _joined(conditions)
    query = f"SELECT {walk.key} FROM {source} WHERE {where}{text} ORDER BY {walk.order} LIMIT 1 OFFSET {scan_rows - 1}"
    row = sql.row(query, [*values, *more])
    return Key(*row) if row else None


def _select(
    driver: Condition, place: tuple[int, int], walk: Walk, conditions: Sequence[Part]
) -> tuple[str, list[object]]:
    """The order's value and a row's columns; the last parameter, the limit, is the caller's."""
    source, where, values = driver.source(*place)
    text, more = _joined(conditions)
    query = (
        f"SELECT {walk.value} AS value, {ROW_COLUMNS} FROM {source} {ROW_JOINS} WHERE {where} AND m.id = e.message_id"
        f"{text} ORDER BY {walk.order} LIMIT %s"
    )
    return query, [*values, *more]


def _joined(conditions: Sequence[Part]) -> Part:
    return "".join(text for text, _ in conditions), [value for _, values in conditions for value in values]


def _page(found: Sequence[Any], asked: Asked, *, total: int, end: Key | None = None) -> Page:
    """Rows in the order of the walk, the order's value in front, made a page in the natural order."""
    is_more, found = len(found) > asked.limit, list(found[: asked.limit])
    onward = Key(*found[-1][:2]) if is_more else end
    backwards = asked.before is not None
    if backwards:
        found.reverse()
    rows = [ListRow(*row[1:]) for row in found]
    if not rows:
        return Page([], None if backwards else onward, onward if backwards else None, total)
    first, last = Key(*found[0][:2]), Key(*found[-1][:2])
    if backwards:
        return Page(rows, last, onward and (first if is_more else onward), total)
    return Page(rows, onward, first if asked.after is not None else None, total)
