"""Conversations: which thread a message belongs to, kept in the transaction that stores or removes it.

A thread is joined by Message-IDs alone (RFC 5256, References), never by subject. Its id is the id of its first stored
message. Most mail answers nothing and is never answered, so nothing is written for it: a message is its own thread
until `thread_of` says another, and its Message-ID is found with the message. An id that a message names and that no
message here has is a `thread_reference`, so a parent that comes late finds its children; one that joins several
threads merges the smaller into the largest. `mailstore/folder_threads.py` counts a conversation's entries of a folder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from core.bulk import insert_rows
from mailstore import folder_threads, sql


class Arrived(NamedTuple):
    """A new message of a mailbox, the hash of its own Message-ID (None without one) and of every id that ties it: its
    own and its references."""

    mailbox: int
    message_id: int
    own_hash: int | None
    hashes: Sequence[int]


def assign(arrived: Sequence[Arrived]) -> dict[int, int]:
    """Threads of new messages, by message id; writes `thread_of` and `thread_reference`, merges where needed. To be
    called before the messages are written."""
    known = _known(arrived)
    found_of: dict[int, int] = {}
    fresh: dict[tuple[int, int], int] = {}
    for each in arrived:
        keys = [(each.mailbox, value) for value in each.hashes]
        found = list(dict.fromkeys(known[key] for key in keys if key in known))
        thread = found[0] if found else each.message_id
        if len(found) > 1:
            thread = _merge(each.mailbox, found, found_of)
            for table in (known, fresh):
                table.update((key, thread) for key, value in table.items() if value in found)
        found_of[each.message_id] = thread
        fresh.update((key, thread) for key in keys if key not in known)
        known.update((key, thread) for key in keys)
    _write(arrived, found_of, fresh)
    return found_of


def forget_messages(message_ids: Sequence[int]) -> None:
    """The messages are about to go: so do their places in threads, and the references of threads without a message.
    What stays of a thread still knows their Message-IDs."""
    inside = sql.marks(message_ids)
    query = (
        "SELECT m.mailbox_id, m.message_id_hash, COALESCE(t.thread_id, m.id) FROM mailstore_message m "
        f"LEFT JOIN mailstore_threadof t ON t.message_id = m.id WHERE m.id IN ({inside})"
    )
    gone = sql.rows(query, message_ids)
    threads = sorted({row[2] for row in gone})
    sql.run(f"DELETE FROM mailstore_threadof WHERE message_id IN ({inside})", message_ids)
    living = _living(threads, set(message_ids))
    insert_rows(
        "mailstore_threadreference",
        "mailbox_id, message_id_hash, thread_id",
        sorted({row for row in gone if row[1] is not None and row[2] in living}),
        "ON CONFLICT (mailbox_id, message_id_hash) DO NOTHING",
    )
    over = [thread for thread in threads if thread not in living]
    sql.run(f"DELETE FROM mailstore_threadreference WHERE {sql.among('thread_id')}", [sql.numbers(over)])


def _living(threads: Sequence[int], going: Collection[int]) -> set[int]:
    """Those that have a message beside these, which have no place in a thread any more."""
    found = sql.rows(
        f"SELECT DISTINCT thread_id FROM mailstore_threadof WHERE {sql.among('thread_id')}", [sql.numbers(threads)]
    )
    first = sql.rows(f"SELECT id FROM mailstore_message WHERE {sql.among('id')}", [sql.numbers(threads)])
    return {row[0] for row in found} | {row[0] for row in first if row[0] not in going}


def _known(arrived: Sequence[Arrived]) -> dict[tuple[int, int], int]:
    """(mailbox, hash) to thread, for every id that the new messages name."""
    wanted = sorted({(each.mailbox, value) for each in arrived for value in each.hashes})
    known: dict[tuple[int, int], int] = {}
    for part in sql.slices(wanted, 250):
        # `(mailbox_id, message_id_hash) IN (VALUES …)` would walk through the whole index on SQLite.
        query = (
            f"SELECT m.mailbox_id, m.message_id_hash, COALESCE(t.thread_id, m.id) FROM {sql.pairs(part)} AS w "
            "CROSS JOIN mailstore_message m LEFT JOIN mailstore_threadof t ON t.message_id = m.id "
            "WHERE m.mailbox_id = w.column1 AND m.message_id_hash = w.column2 UNION ALL "
            f"SELECT r.mailbox_id, r.message_id_hash, r.thread_id FROM {sql.pairs(part)} AS w "
            "CROSS JOIN mailstore_threadreference r "
            "WHERE r.mailbox_id = w.column1 AND r.message_id_hash = w.column2"
        )
        known.update(((row[0], row[1]), row[2]) for row in sql.rows(query, sql.pair_numbers(part) * 2))
    return known


def _write(arrived: Sequence[Arrived], found_of: dict[int, int], fresh: dict[tuple[int, int], int]) -> None:
    joined = [(each.message_id, each.mailbox, found_of[each.message_id]) for each in arrived]
    insert_rows(
        "mailstore_threadof",
        "message_id, mailbox_id, thread_id",
        [row for row in joined if row[0] != row[2]],
    )
    own = {(each.mailbox, each.own_hash) for each in arrived}
    insert_rows(
        "mailstore_threadreference",
        "mailbox_id, message_id_hash, thread_id",
        [(*key, thread) for key, thread in sorted(fresh.items()) if key not in own],
    )


def _merge(mailbox: int, found: list[int], found_of: dict[int, int]) -> int:
    """Join threads into the one with the most messages, of the stored ones if there are any; its id. Rows of this
    transaction's messages are not yet written, so `found_of` is mended too."""
    query = (
        f"SELECT thread_id, count(*) FROM mailstore_threadof WHERE thread_id IN ({sql.marks(found)}) GROUP BY thread_id"
    )
    sizes = Counter(dict(sql.rows(query, found))) + Counter(found_of.values())
    stored = [thread for thread in found if thread not in found_of]
    largest = max(stored or found, key=lambda thread: (sizes[thread], -thread))
    smaller = [thread for thread in found if thread != largest]
    for message_id, thread in found_of.items():
        if thread in smaller:
            found_of[message_id] = largest
    numbers = folder_threads.counted(smaller)
    inside = sql.marks(smaller)
    for table in ("mailstore_threadof", "mailstore_threadreference"):
        statement = f"UPDATE {table} SET thread_id = %s WHERE thread_id IN ({inside}) AND mailbox_id = %s"
        sql.run(statement, [largest, *smaller, mailbox])
    sql.run(
        "INSERT INTO mailstore_threadof (message_id, mailbox_id, thread_id) "
        f"SELECT m.id, m.mailbox_id, %s FROM mailstore_message m WHERE m.id IN ({inside}) "
        "AND NOT EXISTS (SELECT 1 FROM mailstore_threadof o WHERE o.message_id = m.id)",
        [largest, *smaller],
    )
    folder_threads.take_in(largest, smaller, numbers)
    return largest
