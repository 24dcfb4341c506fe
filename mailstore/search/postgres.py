"""The index on PostgreSQL: the same tokens as a tsvector beside the key, GIN(mailbox, tokens) and GIN(period, tokens).

GIN has no order: every match is fetched and sorted. So the newest period of a mailbox (six days) is asked first, then
four, sixteen and so on before it, until there are enough: a common word costs what a week of mail costs, at any size of
the mailbox, and the last question, about all that is left, is for a word rare enough to be fetched whole. Positions end at 16,383 and 255 for each word (PostgreSQL 12.11): tokens of their own say
where some are not known, and there a phrase counts as all of its words.
"""

from __future__ import annotations

import contextlib
from array import array
from collections.abc import Iterable, Iterator, Sequence

from django.db import transaction

from core.bulk import insert_rows
from mailstore import sql
from mailstore.search.document import GAP, Document
from mailstore.search.engine import Hit
from mailstore.search.expression import Either, Every, Expression, Phrase
from mailstore.search.keys import SEQUENCE_BITS, KeyGiver, bounds, first_key

PERIOD_BITS = 24
"""Of a key: the mailbox and 2^19 seconds."""
GROWTH = 4
MAX_PERIODS = 64
"""Asked together; what is older still is asked by the mailbox."""
MAX_POSITION = 16_383
MAX_POSITIONS = 255
LONG = "__"
"""The token of a document that goes on behind the last position."""
MANY = "_"
"""In front of a word that stands in a document more often than positions are kept."""

TABLE = "mailstore_searchdocument"
ONE_PERIOD = "period = %s::bigint"
SOME_PERIODS = "period BETWEEN %s::bigint AND %s::bigint"
IN_MAILBOX = "mailbox_id = %s::bigint"
"""Of their column's very type: btree_gin knows no operator between two, and small numbers are integers."""


class PostgresIndex:
    """See `engine.Index`. It writes in the caller's transaction."""

    def add(self, documents: Sequence[Document]) -> None:
        """Three statements for what is new. A key that another worker took meanwhile is tried again."""
        known = self.keys_of([each.message_id for each in documents])
        new = list({each.message_id: each for each in documents if each.message_id not in known}.values())
        with transaction.atomic():
            for each in documents:
                if each.message_id in known:
                    update = f"UPDATE {TABLE} SET v = %s::tsvector WHERE message_id = %s"
                    sql.run(update, [vector(each.tokens), each.message_id])
            while new:
                inserted = _inserted(new)
                left = [each for each in new if each.message_id not in inserted]
                there = self.keys_of([each.message_id for each in left])
                new = [each for each in left if each.message_id not in there]

    def remove(self, message_id: int, tokens: Sequence[str] | None) -> None:
        """The tokens aren't needed."""
        sql.run(f"DELETE FROM {TABLE} WHERE message_id = %s", [message_id])

    def hits(self, mailbox: int, expression: Expression, *, low: int, high: int, limit: int) -> list[Hit]:
        """The newest period first, then ever more of the older ones together."""
        with _by_index():
            return self._hits(mailbox, expression, low=low, high=high, limit=limit)

    def _hits(self, mailbox: int, expression: Expression, *, low: int, high: int, limit: int) -> list[Hit]:
        first, last = bounds(mailbox)
        low, high = max(low, first), min(high, last)
        asked, words = query(expression), query(expression, is_near=False)
        newest = sql.row(f"SELECT key FROM {TABLE} WHERE key BETWEEN %s AND %s ORDER BY key DESC LIMIT 1", [low, high])
        if newest is None:
            return []
        found: list[Hit] = []
        periods = 1
        while len(found) < limit and low <= high:
            last_period = (newest[0] if not found and periods == 1 else high) >> PERIOD_BITS
            first_period = max(last_period - periods + 1, low >> PERIOD_BITS)
            begin = max(low, first_period << PERIOD_BITS)
            condition, values = ONE_PERIOD, [last_period]
            if first_period < last_period:
                condition, values = SOME_PERIODS, [first_period, last_period]
            if periods > MAX_PERIODS:
                begin, condition, values = low, IN_MAILBOX, [mailbox]
            found += _hits(condition, values, asked, words, low=begin, high=high, limit=limit - len(found))
            high, periods = begin - 1, periods * GROWTH
        return found

    def holders(self, mailbox: int, expression: Expression) -> array[int]:
        """From the index on mailbox and tokens."""
        statement = f"SELECT message_id FROM {TABLE} WHERE {IN_MAILBOX} AND v @@ %s::tsquery"
        with _by_index():
            return array("q", (row[0] for row in sql.rows(statement, [mailbox, query(expression)])))

    def keys_of(self, message_ids: Sequence[int]) -> dict[int, int]:
        """One query for a slice."""
        found: dict[int, int] = {}
        for part in sql.slices(message_ids):
            statement = f"SELECT message_id, key FROM {TABLE} WHERE {sql.among('message_id')}"
            found.update(sql.rows(statement, [sql.numbers(part)]))
        return found

    def message_ids(self, mailbox: int, after: int, limit: int) -> list[int]:
        """By the index on message_id."""
        first, last = bounds(mailbox)
        query = (
            f"SELECT message_id FROM {TABLE} WHERE message_id > %s AND message_id <= %s ORDER BY message_id LIMIT %s"
        )
        return [row[0] for row in sql.rows(query, [max(after, first), last, limit])]

    def empty(self) -> None:
        """In the caller's transaction."""
        sql.run(f"TRUNCATE {TABLE}")

    def is_new(self) -> bool:
        """Nothing is in it."""
        return sql.row(f"SELECT 1 FROM {TABLE} LIMIT 1") is None

    def filled(self) -> None:
        """Nothing to note: what waits, waits in the same database."""

    def size(self) -> tuple[int, int]:
        """Counted; nothing is ever hidden here."""
        return sql.row(f"SELECT count(*) FROM {TABLE}")[0], 0


@contextlib.contextmanager
def _by_index() -> Iterator[None]:
    """The planner takes looking into a vector for cheap and doesn't count that it lies outside of its row: for a common
    word it would read the whole table, seconds for 100,000 mails."""
    with transaction.atomic():
        sql.run("SET LOCAL enable_seqscan = off")
        yield


def _hits(condition: str, values: list[int], asked: str, words: str, *, low: int, high: int, limit: int) -> list[Hit]:
    """The documents that hold the words are known from the index alone; whether these stand side by side only their
    positions say, which are read from the newest on until there are enough.

    MATERIALIZED: the planner must not walk the keys backwards and look into every document. OFFSET 0: nor may it look at
    positions before the order is known.
    """
    statement = (
        f"WITH found AS MATERIALIZED (SELECT key, message_id FROM {TABLE} WHERE {condition} AND v @@ %s::tsquery) "
    )
    parameters: list[object] = [*values, words, low, high]
    if words == asked:
        statement += "SELECT key, message_id FROM found WHERE key BETWEEN %s AND %s ORDER BY key DESC LIMIT %s"
        return [Hit(*row) for row in sql.rows(statement, [*parameters, limit])]
    statement += (
        "SELECT n.key, n.message_id FROM (SELECT * FROM found WHERE key BETWEEN %s AND %s ORDER BY key DESC OFFSET 0) n "
        f"WHERE (SELECT d.v FROM {TABLE} d WHERE d.key = n.key) @@ %s::tsquery LIMIT %s"
    )
    return [Hit(*row) for row in sql.rows(statement, [*parameters, asked, limit])]


def _inserted(documents: Sequence[Document]) -> set[int]:
    """Put new ones in; those that found their key, and themselves, still absent."""
    taken = _Taken(first_key(each.mailbox, each.received_us) for each in documents)
    giver = KeyGiver(taken.between)
    rows = []
    for each in documents:
        key = giver.give(each.mailbox, each.received_us)
        taken.add(key)
        rows.append((key, each.message_id, each.mailbox, key >> PERIOD_BITS, vector(each.tokens)))
    tail = "ON CONFLICT DO NOTHING RETURNING message_id"
    return {row[0] for row in insert_rows(TABLE, "key, message_id, mailbox_id, period, v", rows, tail)}


class _Taken:
    """Keys in use: those of some seconds are read together, and what is given meanwhile is known."""

    def __init__(self, seconds: Iterable[int]) -> None:
        self._seconds = set(seconds)
        self._keys: set[int] = set()
        begins = sorted(self._seconds)
        for part in sql.slices(begins):
            query = (
                f"SELECT d.key FROM {sql.numbered()} CROSS JOIN {TABLE} d "
                f"WHERE d.key BETWEEN n.value AND n.value + {(1 << SEQUENCE_BITS) - 1}"
            )
            self._keys.update(row[0] for row in sql.rows(query, [sql.numbers(part)]))

    def add(self, key: int) -> None:
        """It has been given."""
        self._keys.add(key)

    def between(self, low: int, high: int) -> set[int]:
        """Of one second; asked for if it is none of those that were read."""
        if low not in self._seconds:
            self._seconds.add(low)
            found = sql.rows(f"SELECT key FROM {TABLE} WHERE key BETWEEN %s AND %s", [low, high])
            self._keys.update(row[0] for row in found)
        return {key for key in range(low, high + 1) if key in self._keys}


def vector(tokens: Sequence[str]) -> str:
    """A tsvector as text (PostgreSQL 8.11.1)."""
    places: dict[str, list[int]] = {}
    for number, token in enumerate(tokens, start=1):
        places.setdefault(token, []).append(number)
    marks = [f"'{MANY}{token}'" for token, found in places.items() if len(found) > MAX_POSITIONS]
    marks += [f"'{LONG}'"] if len(tokens) > MAX_POSITION else []
    lexemes = [
        f"'{token}':{','.join(str(place) for place in found[:MAX_POSITIONS] if place <= MAX_POSITION) or MAX_POSITION}"
        for token, found in places.items()
        if token != GAP
    ]
    return " ".join([*lexemes, *marks])


def query(expression: Expression, *, is_near: bool = True) -> str:
    """A tsquery as text (PostgreSQL 8.11.2). Without `is_near` it asks for the words of phrases wherever they stand, which
    may find more documents, never fewer, and reads none."""
    if isinstance(expression, Phrase):
        return _phrase(expression, is_near=is_near)
    if isinstance(expression, Either):
        return "(" + " | ".join(query(each, is_near=is_near) for each in expression.parts) + ")"
    assert isinstance(expression, Every)
    without = expression.without if is_near else [each for each in expression.without if not _has_places(each)]
    parts = [*(query(each, is_near=is_near) for each in expression.parts), *(f"!{query(each)}" for each in without)]
    return "(" + " & ".join(parts) + ")"


def _has_places(expression: Expression) -> bool:
    """Whether the answer depends on where words stand."""
    if isinstance(expression, Phrase):
        return len(expression.tokens) > 1
    without = expression.without if isinstance(expression, Every) else ()
    return any(map(_has_places, (*expression.parts, *without)))


def _phrase(phrase: Phrase, *, is_near: bool) -> str:
    tokens = [f"'{token}'" for token in phrase.tokens]
    if phrase.is_prefix:
        tokens[-1] += ":*"
    if len(tokens) == 1:
        return tokens[0]
    together = " & ".join(tokens)
    if not is_near:
        return f"({together})"
    unknown = " | ".join([f"'{LONG}'", *(f"'{MANY}{token}'" for token in phrase.tokens)])
    return f"(({' <-> '.join(tokens)}) | ({together} & ({unknown})))"
