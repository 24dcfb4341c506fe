"""Conversations, kept in the transaction that stores, moves or removes mail.

A thread is joined by Message-IDs alone (RFC 5256, References), never by subject. Every id that a message names is a
`thread_reference`, so a parent that comes late finds its children; one that joins several threads merges the smaller
into the largest. `folder_thread` counts a conversation's entries of one folder.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from core.bulk import insert_rows
from mailstore import sql
from mailstore.fields import mailbox_of
from mailstore.ledger import FLAGGED, SEEN

MAX_PARTICIPANTS = 12
MAX_PARTICIPANTS_CHARS = 300
SEPARATOR = "\n"
"""Between names in `folder_thread.participants`; no name holds one."""


@dataclasses.dataclass(frozen=True, slots=True)
class Arrived:
    """A new message of a mailbox and the hashes of the ids that tie it: its own and its references."""

    mailbox: int
    message_id: int
    hashes: Sequence[int]


@dataclasses.dataclass(slots=True)
class ThreadDelta:
    """How a conversation changes in one folder."""

    total: int = 0
    unread: int = 0
    starred: int = 0
    last_us: int = 0
    names: list[str] = dataclasses.field(default_factory=list)

    def add(self, *, flags: int, sort_us: int, name: str, by: int = 1) -> None:
        """An entry came (1) or left (-1)."""
        self.total += by
        self.unread += 0 if flags & SEEN else by
        self.starred += by if flags & FLAGGED else 0
        self.last_us = max(self.last_us, sort_us)
        if by > 0 and name and name not in self.names:
            self.names.append(name)


Deltas = dict[tuple[int, int], ThreadDelta]
"""(thread, folder) to its change."""


Change = tuple[int, int, int]
"""How many entries, unread and starred ones a conversation gains in a folder (or loses: below zero)."""

Changes = dict[tuple[int, int], Change]
"""(thread, folder) to its change."""

NOTHING: Change = (0, 0, 0)


def new_deltas() -> Deltas:
    """An empty collection that makes what it is asked for."""
    return defaultdict(ThreadDelta)


def assign(arrived: Sequence[Arrived]) -> dict[int, int]:
    """Threads of new messages, by message id; writes `thread_of` and `thread_reference`, merges where needed."""
    known = _known_references(arrived)
    thread_of: dict[int, int] = {}
    fresh: dict[tuple[int, int], int] = {}
    for each in arrived:
        keys = [(each.mailbox, value) for value in each.hashes]
        found = list(dict.fromkeys(known[key] for key in keys if key in known))
        thread = found[0] if found else each.message_id
        if len(found) > 1:
            thread = _merge(each.mailbox, found, thread_of)
            for table in (known, fresh):
                table.update((key, thread) for key, value in table.items() if value in found)
        thread_of[each.message_id] = thread
        fresh.update((key, thread) for key in keys if key not in known)
        known.update((key, thread) for key in keys)
    _write(arrived, thread_of, fresh)
    return thread_of


def apply(deltas: Deltas) -> None:
    """Write what `deltas` say. Rows that reach zero go; the last date of a shrunken one is read anew."""
    changed = {key: delta for key, delta in deltas.items() if delta.total or delta.unread or delta.starred}
    if not changed:
        return
    stored = _stored(sorted({thread for thread, _ in changed}))
    _upsert([(*key, delta) for key, delta in changed.items() if delta.total > 0], stored)
    change({key: (delta.total, delta.unread, delta.starred) for key, delta in changed.items() if delta.total <= 0})


def changes(single: Iterable[tuple[tuple[int, int], Change]]) -> Changes:
    """The sums of the changes that single entries make."""
    pairs = list(single)
    found = dict(pairs)
    if len(found) < len(pairs):
        found = dict.fromkeys(found, NOTHING)
        for key, one in pairs:
            known = found[key]
            found[key] = (known[0] + one[0], known[1] + one[1], known[2] + one[2])
    return found


def change(wanted: Changes) -> None:
    """`apply` for conversations that don't grow, after their entries were written: a few statements for each different
    change, whatever the number of conversations."""
    alike: dict[tuple[int, Change], list[int]] = defaultdict(list)
    for (thread, folder), by in wanted.items():
        alike[folder, by].append(thread)
    for (folder, by), found in alike.items():
        if by != NOTHING:
            _change(folder, sql.numbers(found), len(found), by)


def change_alike(folder: int, collected: Any, by: Change) -> None:
    """As `change`: the conversations of entries that change in the same way, as `sql.collected` gave them."""
    found = sql.listed(collected)
    counted = Counter(found)
    if len(counted) == len(found):
        _change(folder, collected, len(found), by)
        return
    for times in set(counted.values()):
        some = [thread for thread, count in counted.items() if count == times]
        _change(folder, sql.numbers(some), len(some), (by[0] * times, by[1] * times, by[2] * times))


def carry(wanted: Changes, target: int) -> set[tuple[int, int]]:
    """Conversations that leave a folder whole and have nothing in `target` yet: their rows just change the folder.
    Which they were; `wanted` are changes below zero."""
    threads = [thread for thread, _ in wanted]
    query = f"SELECT thread_id, folder_id, total FROM mailstore_folderthread WHERE {sql.among('thread_id')}"
    rows = sql.rows(query, [sql.numbers(threads)])
    taken = {row[0] for row in rows if row[1] == target}
    taken |= {thread for thread, count in Counter(threads).items() if count > 1}
    going = {(thread, folder) for thread, folder, total in rows if total == -wanted.get((thread, folder), NOTHING)[0]}
    going = {key for key in going if key[0] not in taken}
    for source in {folder for _, folder in going}:
        leaving = [thread for thread, folder in going if folder == source]
        statement = f"UPDATE mailstore_folderthread SET folder_id = %s WHERE {_inside()}"
        sql.run(statement, [target, source, sql.numbers(leaving)])
    return going


def forget_messages(message_ids: Sequence[int]) -> None:
    """The messages are gone: so are their places in threads, and the references of threads without a message."""
    inside = sql.marks(message_ids)
    query = f"SELECT DISTINCT thread_id FROM mailstore_threadof WHERE message_id IN ({inside})"
    threads = [row[0] for row in sql.rows(query, message_ids)]
    sql.run(f"DELETE FROM mailstore_threadof WHERE message_id IN ({inside})", message_ids)
    for part in sql.slices(threads):
        sql.run(
            f"DELETE FROM mailstore_threadreference WHERE thread_id IN ({sql.marks(part)}) AND NOT EXISTS "
            "(SELECT 1 FROM mailstore_threadof t WHERE t.thread_id = mailstore_threadreference.thread_id)",
            part,
        )


def participants(text: str) -> list[str]:
    """The names in `folder_thread.participants`, oldest first."""
    return [name for name in text.split(SEPARATOR) if name]


def _known_references(arrived: Sequence[Arrived]) -> dict[tuple[int, int], int]:
    """(mailbox, hash) to thread, for every id that the new messages name."""
    wanted = sorted({(each.mailbox, value) for each in arrived for value in each.hashes})
    known: dict[tuple[int, int], int] = {}
    for part in sql.slices(wanted, 500):
        values = ", ".join(["(%s, %s)"] * len(part))
        query = (
            "SELECT mailbox_id, message_id_hash, thread_id FROM mailstore_threadreference "
            f"WHERE (mailbox_id, message_id_hash) IN (VALUES {values})"
        )
        flat = [number for pair in part for number in pair]
        known.update(((row[0], row[1]), row[2]) for row in sql.rows(query, flat))
    return known


def _write(arrived: Sequence[Arrived], thread_of: dict[int, int], fresh: dict[tuple[int, int], int]) -> None:
    insert_rows(
        "mailstore_threadof",
        "message_id, mailbox_id, thread_id",
        [(each.message_id, each.mailbox, thread_of[each.message_id]) for each in arrived],
    )
    insert_rows(
        "mailstore_threadreference",
        "mailbox_id, message_id_hash, thread_id",
        [(mailbox, value, thread) for (mailbox, value), thread in sorted(fresh.items())],
    )


def _merge(mailbox: int, found: list[int], thread_of: dict[int, int]) -> int:
    """Join threads into the one with the most messages; its id. Rows of this transaction's messages are not yet
    written, so `thread_of` is mended too."""
    counted = sql.rows(
        f"SELECT thread_id, count(*) FROM mailstore_threadof WHERE thread_id IN ({sql.marks(found)}) GROUP BY thread_id",
        found,
    )
    sizes = Counter(dict(counted)) + Counter(thread_of.values())
    largest = max(found, key=lambda thread: (sizes[thread], -thread))
    smaller = [thread for thread in found if thread != largest]
    for message_id, thread in thread_of.items():
        if thread in smaller:
            thread_of[message_id] = largest
    inside = sql.marks(smaller)
    for table in ("mailstore_threadof", "mailstore_threadreference"):
        statement = f"UPDATE {table} SET thread_id = %s WHERE thread_id IN ({inside}) AND mailbox_id = %s"
        sql.run(statement, [largest, *smaller, mailbox])
    _merge_folders(largest, smaller)
    return largest


def _merge_folders(largest: int, smaller: Sequence[int]) -> None:
    merged = new_deltas()
    for _thread, folder, last_us, total, unread, starred, names in _rows(smaller):
        delta = merged[largest, folder]
        delta.total += total
        delta.unread += unread
        delta.starred += starred
        delta.last_us = max(delta.last_us, last_us)
        delta.names += [name for name in participants(names) if name not in delta.names]
    sql.run(f"DELETE FROM mailstore_folderthread WHERE thread_id IN ({sql.marks(smaller)})", smaller)
    apply(merged)


def _rows(threads: Sequence[int]) -> list[tuple[int, int, int, int, int, int, str]]:
    found: list[tuple[int, int, int, int, int, int, str]] = []
    for part in sql.slices(threads):
        query = (
            "SELECT thread_id, folder_id, last_us, total, unread, starred, participants FROM mailstore_folderthread "
            f"WHERE thread_id IN ({sql.marks(part)})"
        )
        found += sql.rows(query, part)
    return found


def _stored(threads: Sequence[int]) -> dict[tuple[int, int], tuple[int, str]]:
    """(last date, participants) of what the threads have now, by (thread, folder)."""
    return {(row[0], row[1]): (row[2], row[6]) for row in _rows(threads)}


def _upsert(grown: list[tuple[int, int, ThreadDelta]], stored: dict[tuple[int, int], tuple[int, str]]) -> None:
    values = []
    for thread, folder, delta in sorted(grown, key=lambda each: each[:2]):
        last_us, names = stored.get((thread, folder), (0, ""))
        joined = _joined(participants(names), delta.names)
        counts = (delta.total, delta.unread, delta.starred)
        values.append((mailbox_of(thread), folder, thread, max(last_us, delta.last_us), *counts, joined))
    insert_rows(
        "mailstore_folderthread",
        "mailbox_id, folder_id, thread_id, last_us, total, unread, starred, participants",
        values,
        "ON CONFLICT (thread_id, folder_id) DO UPDATE SET total = mailstore_folderthread.total + excluded.total, "
        "unread = mailstore_folderthread.unread + excluded.unread, "
        "starred = mailstore_folderthread.starred + excluded.starred, "
        "last_us = excluded.last_us, participants = excluded.participants",
    )


def _joined(known: list[str], new: Iterable[str]) -> str:
    """Both lists, each name once at its newest place, cut from the oldest end."""
    names = list(dict.fromkeys(reversed([*known, *new])))[:MAX_PARTICIPANTS]
    while names and len(SEPARATOR.join(names)) > MAX_PARTICIPANTS_CHARS:
        names.pop()
    return SEPARATOR.join(reversed(names))


def _change(folder: int, threads: object, count: int, by: Change) -> None:
    """The same change of `count` conversations of a folder; rows that reach zero go."""
    inside = [folder, threads]
    if by[0]:
        gone = sql.run(f"DELETE FROM mailstore_folderthread WHERE {_inside()} AND total <= %s", [*inside, -by[0]])
        if gone == count:
            return
    sql.run(
        "UPDATE mailstore_folderthread SET total = total + %s, unread = unread + %s, starred = starred + %s "
        f"WHERE {_inside()}",
        [*by, *inside],
    )
    if by[0]:
        sql.run(
            "UPDATE mailstore_folderthread SET last_us = COALESCE((SELECT max(e.sort_us) FROM mailstore_threadof t "
            "JOIN mailstore_entry e ON e.message_id = t.message_id WHERE t.thread_id = mailstore_folderthread.thread_id "
            f"AND e.folder_id = mailstore_folderthread.folder_id), last_us) WHERE {_inside()}",
            inside,
        )


def _inside() -> str:
    """Some conversations of one folder, by the unique key: an index of the folder alone would be walked whole."""
    return f"+folder_id = %s AND {sql.among('thread_id')}"
