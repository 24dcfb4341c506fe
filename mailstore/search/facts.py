"""Leaves that the rows answer, as SQL conditions on an entry `e`."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence

from core.access import Access
from mailstore import sql
from mailstore.ddl import ATTACHMENT, STARRED, UNREAD
from mailstore.models import Flag
from mailstore.search.tree import Age, And, Day, In, Is, Label, Leaf, Node, Not, Or, Size, State, Text
from mailstore.selectors.folders import FolderRow, folder_tree

Condition = tuple[str, list[object]]

LEFT_OUT = frozenset({"trash", "junk"})
"""Roles that are searched only when a folder is named."""
_FLAGS = {
    State.UNREAD: UNREAD,
    State.READ: f"(flags & {int(Flag.SEEN)}) <> 0",
    State.STARRED: STARRED,
    State.UNSTARRED: f"(flags & {int(Flag.FLAGGED)}) = 0",
    State.ANSWERED: f"(flags & {int(Flag.ANSWERED)}) <> 0",
    State.FORWARDED: f"(flags & {int(Flag.FORWARDED)}) <> 0",
    State.ATTACHMENT: ATTACHMENT,
}
INDEXED = frozenset({State.UNREAD, State.STARRED, State.ATTACHMENT})
"""States with a partial index on (folder, date)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where and when a question is asked: folders that may be looked into, labels, the clock and the zone."""

    folders: list[FolderRow]
    labels: dict[str, int]
    """Bits of `Entry.keywords` by the label's folded name."""
    now: datetime.datetime

    @classmethod
    def of(cls, access: Access, now: datetime.datetime) -> Place:
        """Two queries. `now` is in the reader's zone."""
        query = "SELECT label, bit FROM mailstore_keyword WHERE mailbox_id = %s AND label <> ''"
        labels = {name.casefold(): 1 << bit for name, bit in sql.rows(query, [access.mailbox])}
        return cls([row for row in folder_tree(access) if not row.is_locked], labels, now)

    def scope(self, *, names_folder: bool) -> list[FolderRow]:
        """The folders to look into."""
        return (
            self.folders
            if names_folder
            else [row for row in self.folders if row.role not in LEFT_OUT and not row.is_hidden]
        )

    def named(self, name: str) -> list[FolderRow]:
        """The folders that `in:name` means."""
        if name == "anywhere":
            return self.folders
        by_role = [row for row in self.folders if row.role == name]
        return by_role or [row for row in self.folders if row.name.casefold() == name.casefold()]


def condition(node: Node, place: Place) -> Condition:
    """The SQL of a part without texts."""
    if isinstance(node, Not):
        inner, values = condition(node.part, place)
        return f"NOT ({inner})", values
    if isinstance(node, And | Or):
        parts = [condition(part, place) for part in node.parts]
        word = " AND " if isinstance(node, And) else " OR "
        return "(" + word.join(part for part, _ in parts) + ")", [each for _, values in parts for each in values]
    return leaf_condition(node, place)


def leaf_condition(leaf: Leaf, place: Place) -> Condition:
    """The SQL of one leaf."""
    match leaf:
        case Is(state):
            return _FLAGS[state].replace("(", "(e.", 1), []
        case In(name):
            return in_folders([row.id for row in place.named(name)])
        case Label(name):
            return f"(e.keywords & {place.labels.get(name.casefold(), 0)}) <> 0", []
        case Day(_, is_after) | Age(_, _, is_after):
            return f"e.sort_us {'>=' if is_after else '<'} %s", [moment_us(leaf, place.now)]
        case Size(size_bytes, is_smaller):
            return f"e.size {'<' if is_smaller else '>'} %s", [size_bytes]
        case Text():
            raise AssertionError("a text has no SQL")


def in_folders(folder_ids: Sequence[int]) -> Condition:
    """Ids are numbers of ours. The plus keeps SQLite's planner from walking these folders instead of the few rows that are
    asked for."""
    return f"+e.folder_id IN ({', '.join(map(str, folder_ids)) or 'NULL'})", []


def moment_us(leaf: Day | Age, now: datetime.datetime) -> int:
    """The microsecond that a date or an age means for a reader whose clock says `now`."""
    if isinstance(leaf, Day):
        start = datetime.datetime.combine(leaf.day, datetime.time(), now.tzinfo)
        return round(_seconds(start) * 1_000_000)
    return round((now.timestamp() - leaf.number * leaf.unit.seconds) * 1_000_000)


def _seconds(moment: datetime.datetime) -> float:
    try:
        return moment.timestamp()
    except (OverflowError, ValueError):  # year 1 in a zone east of Greenwich
        return -62_135_596_800.0


def span_us(facts: Sequence[Node], now: datetime.datetime) -> tuple[int, int]:
    """The first and the last microsecond (it too is outside) that the dates among `facts` leave."""
    low, high = -(1 << 62), 1 << 62
    for fact in facts:
        if isinstance(fact, Day):
            moment = moment_us(fact, now)
            low, high = (max(low, moment), high) if fact.is_after else (low, min(high, moment))
        elif isinstance(fact, Age):
            moment = moment_us(fact, now)
            low, high = (max(low, moment), high) if fact.is_newer else (low, min(high, moment))
    return low, high
