"""The index from the store's side: put everything on the list again, and look whether both agree."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator

from django.db import connection, transaction

from mailstore import sql
from mailstore.fields import COUNTER_BITS
from mailstore.search.index import index

SLICE = 1_000

# A draft's copies in 草稿箱 are not searched: the next one replaces them.
_SOUGHT = (
    "NOT EXISTS (SELECT 1 FROM mailstore_draft d JOIN mailstore_entry e ON e.id = d.snapshot_entry_id "
    "WHERE d.mailbox_id = m.mailbox_id AND e.message_id = m.id)"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """A message that is in the store and neither in the index nor waiting for it (`is_missing`), or the other way round."""

    message_id: int
    is_missing: bool


def enqueue(mailbox: int | None = None) -> int:
    """Let the indexer look at every message again, in slices of 1,000; how many. What is in already and has the same
    words is left alone, so searches go on meanwhile."""
    after, last = _range(mailbox)
    found = 0
    while True:
        query = f"SELECT m.id, m.mailbox_id FROM mailstore_message m WHERE m.id > %s AND m.id <= %s AND {_SOUGHT} ORDER BY m.id LIMIT {SLICE}"
        rows = sql.rows(query, [after, last])
        if not rows:
            return found
        with transaction.atomic():
            _put(rows)
        after = rows[-1][0]
        found += len(rows)


def start_over() -> int:
    """Empty the index and enqueue everything; how many. Killed in between, the next indexer enqueues."""
    with transaction.atomic() if connection.vendor == "postgresql" else contextlib.nullcontext():
        index().empty()
        found = enqueue()
    index().filled()
    return found


def waiting(mailbox: int | None = None, *, limit: int = 1_000_000) -> int:
    """How many messages wait for the indexer, counted up to `limit`."""
    after, last = _range(mailbox)
    query = "SELECT count(*) FROM (SELECT 1 AS one FROM mailstore_searchtodo WHERE message_id > %s AND message_id <= %s LIMIT %s) AS w"
    return int(sql.row(query, [after, last, limit])[0])


def differences(mailbox: int, *, repair: bool = False) -> Iterator[Difference]:
    """Compare one mailbox. `repair` puts what is missing on the list and hides what is too much."""
    stored, indexed = _stored(mailbox), _indexed(mailbox)
    left, right = next(stored, None), next(indexed, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left < right):
            assert left is not None
            yield from _different(left, is_missing=True, repair=repair)
            left = next(stored, None)
        elif left is None or right < left:
            yield from _different(right, is_missing=False, repair=repair)
            right = next(indexed, None)
        else:
            left, right = next(stored, None), next(indexed, None)


def _different(message_id: int, *, is_missing: bool, repair: bool) -> Iterator[Difference]:
    """Looked at again before it is reported: the store goes on while it is compared."""
    is_stored = sql.row("SELECT mailbox_id FROM mailstore_message WHERE id = %s", [message_id])
    is_waiting = sql.row("SELECT 1 FROM mailstore_searchtodo WHERE message_id = %s", [message_id])
    is_leaving = sql.row("SELECT 1 FROM mailstore_searchremoval WHERE message_id = %s", [message_id])
    is_indexed = bool(index().keys_of([message_id]))
    if is_missing and is_stored and not is_waiting and not is_indexed:
        yield Difference(message_id, is_missing=True)
        if repair:
            _put([(message_id, is_stored[0])])
    elif not is_missing and is_indexed and not is_stored and not is_leaving:
        yield Difference(message_id, is_missing=False)
        if repair:
            index().remove(message_id, None)


def _put(rows: list[tuple[int, int]]) -> None:
    statement = sql.insert("mailstore_searchtodo", "message_id, mailbox_id") + " ON CONFLICT (message_id) DO NOTHING"
    sql.run_many(statement, rows)


def _stored(mailbox: int) -> Iterator[int]:
    after, last = _range(mailbox)
    while True:
        query = f"SELECT m.id FROM mailstore_message m WHERE m.id > %s AND m.id <= %s AND {_SOUGHT} ORDER BY m.id LIMIT {SLICE}"
        rows = sql.rows(query, [after, last])
        if not rows:
            return
        yield from (row[0] for row in rows)
        after = rows[-1][0]


def _indexed(mailbox: int) -> Iterator[int]:
    after = 0
    while found := index().message_ids(mailbox, after, SLICE):
        yield from found
        after = found[-1]


def _range(mailbox: int | None) -> tuple[int, int]:
    if mailbox is None:
        return 0, (1 << 63) - 1
    return mailbox << COUNTER_BITS, (mailbox + 1 << COUNTER_BITS) - 1
