"""The one evaluator of questions: pages, IMAP SEARCH and cleanup ask through it, always with an `Access`.

Newest first, by key; a page is short and has a `next` where SCAN messages were looked at without filling it. Locked
folders and other mailboxes can't appear: every row comes from the entries of the folders in `Place`.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator, Mapping, Sequence

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.flag_lists import lead
from mailstore.search.engine import Index
from mailstore.search.facts import INDEXED, Place, condition, in_folders, leaf_condition, span_us
from mailstore.search.index import index
from mailstore.search.keys import bounds, first_key
from mailstore.search.plan import Plan, expression, plan
from mailstore.search.tree import Age, And, Day, In, Is, Leaf, Node, Not, Or, State, Text, leaves
from mailstore.selectors.folders import FolderRow
from mailstore.selectors.list_order import Walk
from mailstore.selectors.lists import ROW_COLUMNS, ROW_JOINS, Key, ListRow

MAX_LIMIT = 200
SCAN = 4_000
"""Messages that one call looks at."""
MAX_BATCH = 1_000
SLACK_S = 3_600
"""How far a crowded second may have borrowed from later ones (mailstore.search.keys)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """A page of results. `next` goes on behind them, None at the end."""

    rows: list[ListRow]
    next: str | None


def search(access: Access, tree: Node, *, now: datetime.datetime, after: str = "", limit: int = 50) -> Found:
    """Entries that answer `tree`. `now` is the reader's clock in his zone. INVALID for an `after` that isn't ours."""
    access.require(Right.READ)
    limit = max(1, min(limit, MAX_LIMIT))
    place = Place.of(access, now)
    made = plan(tree)
    if made is None:
        return Found([], None)
    start = _start(after)
    if made.words is not None and (start[0] == "d" or (not after and _is_few(made, place))):
        made = plan(tree, by_rows=True)
        assert made is not None
    evaluator = _Evaluator(access, made, place)
    if made.words is not None:
        return evaluator.by_words(start[1] if start[0] == "k" else None, limit)
    return evaluator.by_rows(start[2] if start[0] == "d" else None, limit)


def _start(after: str) -> tuple[str, int, Key | None]:
    """The driver of a continuation, its key."""
    if not after:
        return "", 0, None
    kind, rest = after[:1], after[1:21]
    if kind == "k" and rest.isascii() and rest.isdigit() and int(rest) < 1 << 63:
        return "k", int(rest), None
    if kind == "d":
        return "d", 0, Key.parse(after[1:])
    raise MailError(ErrorKind.INVALID, field="after")


def _is_few(made: Plan, place: Place) -> bool:
    """Whether reading all the rows that the folders count is less work than reading hits of a common word until enough of
    them are such rows: n rows of N against 50 · N/n hits."""
    folders = _folders(made, place)
    counts = [sum(row.total for row in folders)]
    everything = sum(row.total for row in place.folders)
    if Is(State.UNREAD) in made.facts:
        counts.append(sum(row.unread for row in folders))
    if Is(State.STARRED) in made.facts:
        counts.append(sum(row.starred for row in folders))
    has_reason = any(isinstance(fact, In) or fact in (Is(State.UNREAD), Is(State.STARRED)) for fact in made.facts)
    return has_reason and min(counts) ** 2 <= 50 * everything


def _folders(made: Plan, place: Place) -> list[FolderRow]:
    found = place.scope(names_folder=made.names_folder)
    for fact in made.facts:
        if isinstance(fact, In):
            wanted = {row.id for row in place.named(fact.name)}
            found = [row for row in found if row.id in wanted]
    return found


class _Evaluator:
    """One question of one reader."""

    def __init__(self, access: Access, made: Plan, place: Place) -> None:
        self.access = access
        self.plan = made
        self.place = place
        self.index: Index = index()
        self.folders = _folders(made, place)
        self.leaves = list(dict.fromkeys(leaf for part in made.mixed for leaf, _ in leaves(part)))
        self.driving = [fact for fact in made.facts if isinstance(fact, Is) and fact.state in INDEXED]
        self.other = [fact for fact in made.facts if fact not in self.driving and not isinstance(fact, In | Day | Age)]
        self.facts: list[Leaf] = [leaf for leaf in self.leaves if not isinstance(leaf, Text)]

    # ---- driven by the index -------------------------------------------------------------------------------------
    def by_words(self, after: int | None, limit: int) -> Found:
        assert self.plan.words is not None
        low, high = self._key_range()
        high = min(high, after - 1) if after is not None else high
        groups: list[tuple[int, list[ListRow]]] = []
        count, scanned, size = 0, 0, limit + 1
        while scanned < SCAN:
            hits = self.index.hits(self.access.mailbox, self.plan.words, low=low, high=high, limit=size)
            rows = self._rows("e.message_id", [hit.message_id for hit in hits])
            for hit in hits:
                found = rows.get(hit.message_id, [])
                if found and count + len(found) > limit and groups:
                    return _page(groups, is_more=True)
                if found:
                    groups.append((hit.key, found))
                    count += len(found)
            if len(hits) < size:
                return _page(groups, is_more=False)
            scanned += len(hits)
            high, size = hits[-1].key - 1, min(4 * size, MAX_BATCH)
        return Found([row for _, found in groups for row in found], f"k{high + 1}")

    def _key_range(self) -> tuple[int, int]:
        low, high = bounds(self.access.mailbox)
        low_us, high_us = span_us(self.plan.facts, self.place.now)
        if low_us > 0:
            low = max(low, first_key(self.access.mailbox, low_us))
        if high_us < 1 << 60:
            high = min(high, first_key(self.access.mailbox, high_us + SLACK_S * 1_000_000))
        return low, high

    # ---- driven by the folders -----------------------------------------------------------------------------------
    def by_rows(self, after: Key | None, limit: int) -> Found:
        rows: list[ListRow] = []
        scanned, size = 0, limit + 1
        while scanned < SCAN:
            keys, end = self._walk(after, size)
            found = self._rows("e.id", [key.id for key in keys])
            for key in keys:
                rows += found.get(key.id, [])
                if len(rows) > limit:
                    last = rows[limit - 1]
                    return Found(rows[:limit], f"d{Key(last.sort_us, last.entry_id)}")
            if end is None:
                return Found(rows, None)
            scanned += SCAN if self.other else size
            size = min(2 * size, MAX_BATCH)
            after = end
        return Found(rows, f"d{after}")

    def _walk(self, after: Key | None, size: int) -> tuple[list[Key], Key | None]:
        """The next candidates of all folders, merged, and where to go on (None at the end)."""
        keys: list[Key] = []
        horizon: Key | None = None
        for folder in self.folders:
            found, end = self._walk_folder(folder.id, after, size)
            keys += found
            if end is not None and (horizon is None or _order(end) > _order(horizon)):
                horizon = end
        if horizon is not None:
            keys = [key for key in keys if _order(key) >= _order(horizon)]
        return sorted(keys, key=_order, reverse=True), horizon

    def _walk_folder(self, folder_id: int, after: Key | None, size: int) -> tuple[list[Key], Key | None]:
        """Matching keys of one folder, and where its walk stopped when it isn't at its end."""
        low_us, high_us = span_us(self.plan.facts, self.place.now)
        listed = lead(unread=Is(State.UNREAD) in self.driving, starred=Is(State.STARRED) in self.driving)
        walk = Walk(listed.sort_us, listed.id, up=False, id_up=False)
        walked = (
            "SELECT e.sort_us, e.id, e.flags, e.keywords, e.attributes, e.size, e.folder_id "
            f"FROM {listed.source} WHERE {listed.folder_id} = %s{listed.condition}"
        )
        values: list[object] = [folder_id]
        if Is(State.ATTACHMENT) in self.driving:
            walked += f" AND {leaf_condition(Is(State.ATTACHMENT), self.place)[0]}"
        if low_us > -(1 << 62) or high_us < 1 << 62:
            walked += f" AND {walk.value} >= %s AND {walk.value} < %s"
            values += [low_us, high_us]
        beyond, more = walk.beyond(after)
        walked += f"{beyond} ORDER BY {walk.order} LIMIT {SCAN if self.other else size}"
        values += more
        matching, more = self._conditions(self.other)
        query = f"SELECT e.sort_us, e.id FROM ({walked}) AS e WHERE {matching} ORDER BY e.sort_us DESC, e.id DESC LIMIT {size}"
        found = [Key(*row) for row in sql.rows(query, [*values, *more])]
        if len(found) == size:
            return found, found[-1]
        if not self.other:
            return found, None
        last = sql.row(f"SELECT e.sort_us, e.id FROM ({walked}) AS e LIMIT 1 OFFSET {SCAN - 1}", values)
        return found, Key(*last) if last else None

    def _conditions(self, facts: Sequence[Node]) -> tuple[str, list[object]]:
        made = [condition(fact, self.place) for fact in facts]
        text = " AND ".join(part for part, _ in made) or "1 = 1"
        return text, [value for _, values in made for value in values]

    # ---- rows ----------------------------------------------------------------------------------------------------
    def _rows(self, column: str, ids: Sequence[int]) -> dict[int, list[ListRow]]:
        """Rows by the id they were asked for: in scope, all facts true, the mixed parts true."""
        found: dict[int, list[ListRow]] = {}
        scope = in_folders([row.id for row in self.folders])[0]
        matching, values = self._conditions(self.plan.facts)
        extra = [leaf_condition(leaf, self.place) for leaf in self.facts]
        columns = "".join(f", CASE WHEN {text} THEN 1 ELSE 0 END" for text, _ in extra)
        before = [value for _, each in extra for value in each]
        width = len(dataclasses.fields(ListRow))
        rows = []
        for part in sql.slices(ids):
            query = (
                f"SELECT {ROW_COLUMNS}{columns} FROM mailstore_entry e {ROW_JOINS} WHERE {sql.among(column)} "
                f"AND e.mailbox_id = %s AND m.id = e.message_id AND {scope} AND {matching}"
            )
            rows += sql.rows(query, [*before, sql.numbers(part), self.access.mailbox, *values])
        rows.sort(reverse=True)
        listed = [(ListRow(*row[:width]), dict(zip(self.facts, row[width:], strict=True))) for row in rows]
        texts = self._texts({row.message_id for row, _ in listed})
        for row, known in listed:
            if all(_holds(part, row.message_id, known, texts) for part in self.plan.mixed):
                found.setdefault(row.entry_id if column == "e.id" else row.message_id, []).append(row)
        return found

    def _texts(self, message_ids: set[int]) -> dict[Text, set[int]]:
        """Which of the messages each text of the mixed parts is in."""
        texts = [leaf for leaf in self.leaves if isinstance(leaf, Text)]
        keys = self.index.keys_of(sorted(message_ids)) if texts and message_ids else {}
        if not keys:
            return {text: set() for text in texts}
        low, high = min(keys.values()), max(keys.values())
        return {text: message_ids & set(self._holders(text, low, high)) for text in texts}

    def _holders(self, text: Text, low: int, high: int) -> Iterator[int]:
        wanted = expression(text)
        assert wanted is not None
        size = MAX_BATCH
        while True:
            hits = self.index.hits(self.access.mailbox, wanted, low=low, high=high, limit=size)
            yield from (hit.message_id for hit in hits)
            if len(hits) < size:
                return
            high = hits[-1].key - 1


def _order(key: Key) -> tuple[int, int]:
    return key.sort_us, key.id


def _page(groups: list[tuple[int, list[ListRow]]], *, is_more: bool) -> Found:
    return Found([row for _, found in groups for row in found], f"k{groups[-1][0]}" if is_more else None)


def _holds(node: Node, message_id: int, known: Mapping[Leaf, int], texts: dict[Text, set[int]]) -> bool:
    if isinstance(node, Not):
        return not _holds(node.part, message_id, known, texts)
    if isinstance(node, And):
        return all(_holds(part, message_id, known, texts) for part in node.parts)
    if isinstance(node, Or):
        return any(_holds(part, message_id, known, texts) for part in node.parts)
    return message_id in texts[node] if isinstance(node, Text) else bool(known[node])
