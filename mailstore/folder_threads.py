"""Conversations in folders: how many entries of a thread a folder holds, unread and starred ones, its newest date and
who wrote. Kept in the transaction that stores, moves, changes or removes entries.

Only a conversation of two entries or more has a row; a single one is its own entry, and every list says so. Two of
three mails are single, so delivering, moving and removing them costs nothing here.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from core.bulk import insert_rows
from mailstore import sql
from mailstore.ddl import ENTRY_SUMS
from mailstore.fields import mailbox_of
from mailstore.ledger import FLAGGED, SEEN
from mailstore.thread_members import members, members_of

LEAST = 2
"""Entries that make a row."""
MAX_PARTICIPANTS = 12
MAX_PARTICIPANTS_CHARS = 300
COLUMNS = "mailbox_id, folder_id, thread_id, last_us, total, unread, starred, participants"
SEPARATOR = "\n"
"""Between names in `folder_thread.participants`; no name holds one."""


@dataclasses.dataclass(slots=True)
class Growth:
    """What a conversation gains in one folder; `names` wrote it, oldest first."""

    total: int = 0
    unread: int = 0
    starred: int = 0
    last_us: int = 0
    names: list[str] = dataclasses.field(default_factory=list)

    def add(self, *, flags: int, sort_us: int, name: str) -> None:
        """An entry came."""
        self.total += 1
        self.unread += 0 if flags & SEEN else 1
        self.starred += 1 if flags & FLAGGED else 0
        self.last_us = max(self.last_us, sort_us)
        if name and name not in self.names:
            self.names.append(name)


Grown = dict[tuple[int, int], Growth]
"""(thread, folder) to what came."""

Change = tuple[int, int, int]
"""How many entries, unread and starred ones a conversation gains in a folder (or loses: below zero)."""

Changes = dict[tuple[int, int], Change]
"""(thread, folder) to its change."""

NOTHING: Change = (0, 0, 0)


def nothing_grown() -> Grown:
    """An empty collection that makes what it is asked for."""
    return defaultdict(Growth)


def grow(grown: Grown) -> None:
    """Entries came, and are written already. A conversation that has a row gains them; for another its entries here
    are counted, because the one that lay here alone had none."""
    if not grown:
        return
    stored = {row[:2]: row for row in _rows(sorted({thread for thread, _ in grown}))}
    _add([(key, growth, stored[key]) for key, growth in sorted(grown.items()) if key in stored])
    alone = grown.keys() - stored.keys()
    if alone:
        _make(alone)


def rows_in(folder: int, threads: Sequence[int]) -> set[int]:
    """Those that have a row there."""
    query = f"SELECT thread_id FROM mailstore_folderthread WHERE {_inside()}"
    return {row[0] for row in sql.rows(query, [folder, sql.numbers(threads)])}


def counted(threads: Sequence[int]) -> Grown:
    """What each folder holds of them, all together, keyed by the first of them."""
    found = nothing_grown()
    for _thread, folder, flags, sort_us, name in _entries(threads):
        found[threads[0], folder].add(flags=flags, sort_us=sort_us, name=name)
    return found


def take_in(largest: int, smaller: Sequence[int], grown: Grown) -> None:
    """The smaller threads, which `counted` counted, are part of the largest by now."""
    sql.run(f"DELETE FROM mailstore_folderthread WHERE thread_id IN ({sql.marks(smaller)})", smaller)
    grow({(largest, folder): growth for (_, folder), growth in grown.items()})


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
    """For conversations that don't grow, after their entries were written: a few statements for each different change,
    whatever the number of conversations. One that is left with a single entry loses its row."""
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
    """Conversations that have left a folder whole and had nothing in `target` before: their rows just change the folder.
    Which they were; `wanted` are changes below zero."""
    counts = Counter(thread for thread, _ in wanted)
    query = f"SELECT thread_id, folder_id, total FROM mailstore_folderthread WHERE {sql.among('thread_id')}"
    rows = sql.rows(query, [sql.numbers(list(counts))])
    taken = {row[0] for row in rows if row[1] == target} | {thread for thread, count in counts.items() if count > 1}
    going = {
        (thread, folder): total
        for thread, folder, total in rows
        if thread not in taken and total == -wanted.get((thread, folder), NOTHING)[0]
    }
    here = {row[0]: row[2] for row in _sums([thread for thread, _ in going]) if row[1] == target} if going else {}
    whole = {key for key, total in going.items() if here.get(key[0]) == total}
    for source in {folder for _, folder in whole}:
        leaving = [thread for thread, folder in whole if folder == source]
        statement = f"UPDATE mailstore_folderthread SET folder_id = %s WHERE {_inside()}"
        sql.run(statement, [target, source, sql.numbers(leaving)])
    return whole


def participants(text: str) -> list[str]:
    """The names in `folder_thread.participants`, oldest first."""
    return [name for name in text.split(SEPARATOR) if name]


def _rows(threads: Sequence[int]) -> list[tuple[int, int, int, int, int, int, str]]:
    found: list[tuple[int, int, int, int, int, int, str]] = []
    for part in sql.slices(threads):
        query = (
            "SELECT thread_id, folder_id, last_us, total, unread, starred, participants FROM mailstore_folderthread "
            f"WHERE thread_id IN ({sql.marks(part)})"
        )
        found += sql.rows(query, part)
    return found


def _add(grown: Sequence[tuple[tuple[int, int], Growth, Any]]) -> None:
    values = []
    for (thread, folder), growth, stored in grown:
        joined = _joined(participants(stored[6]), growth.names)
        counts = (growth.total, growth.unread, growth.starred)
        values.append((mailbox_of(thread), folder, thread, max(stored[2], growth.last_us), *counts, joined))
    insert_rows(
        "mailstore_folderthread",
        COLUMNS,
        values,
        "ON CONFLICT (thread_id, folder_id) DO UPDATE SET total = mailstore_folderthread.total + excluded.total, "
        "unread = mailstore_folderthread.unread + excluded.unread, "
        "starred = mailstore_folderthread.starred + excluded.starred, "
        "last_us = excluded.last_us, participants = excluded.participants",
    )


def _make(keys: Collection[tuple[int, int]]) -> None:
    """Rows for those that hold two entries or more by now."""
    threads = sorted({thread for thread, _ in keys})
    sums = [row for row in _sums(threads) if row[2] >= LEAST and (row[0], row[1]) in keys]
    if not sums:
        return
    names: dict[tuple[int, int], list[str]] = defaultdict(list)
    for thread, folder, _flags, _sort_us, name in _entries(sorted({row[0] for row in sums})):
        if name:
            names[thread, folder].append(name)
    insert_rows(
        "mailstore_folderthread",
        COLUMNS,
        [
            (mailbox_of(thread), folder, thread, last_us, total, unread, starred, _joined([], names[thread, folder]))
            for thread, folder, total, unread, starred, last_us in sums
        ],
    )


def _sums(threads: Sequence[int]) -> list[Any]:
    """(thread, folder, total, unread, starred, newest date) of their entries, wherever they lie."""
    query = (
        f"SELECT s.thread_id, e.folder_id, {ENTRY_SUMS}, max(e.sort_us) "
        f"FROM {members()} AS s CROSS JOIN mailstore_entry e WHERE e.message_id = s.message_id "
        "GROUP BY s.thread_id, e.folder_id"
    )
    numbers = sql.numbers(threads)
    return [(row[0], row[1], *map(int, row[2:])) for row in sql.rows(query, [numbers, numbers])]


def _entries(threads: Sequence[int]) -> list[Any]:
    """(thread, folder, flags, date, name) of each, oldest first."""
    query = (
        "SELECT s.thread_id, e.folder_id, e.flags, e.sort_us, "
        "CASE WHEN m.sender_name <> '' THEN m.sender_name ELSE m.sender_address END "
        f"FROM {members()} AS s CROSS JOIN mailstore_entry e CROSS JOIN mailstore_message m "
        "WHERE e.message_id = s.message_id AND m.id = s.message_id ORDER BY e.sort_us, e.id"
    )
    numbers = sql.numbers(threads)
    return sql.rows(query, [numbers, numbers])


def _joined(known: list[str], new: Iterable[str]) -> str:
    """Both lists, each name once at its newest place, cut from the oldest end."""
    names = list(dict.fromkeys(reversed([*known, *new])))[:MAX_PARTICIPANTS]
    while names and len(SEPARATOR.join(names)) > MAX_PARTICIPANTS_CHARS:
        names.pop()
    return SEPARATOR.join(reversed(names))


def _change(folder: int, threads: object, count: int, by: Change) -> None:
    """The same change of `count` conversations of a folder."""
    inside = [folder, threads]
    if by[0]:
        least = LEAST - by[0]
        gone = sql.run(f"DELETE FROM mailstore_folderthread WHERE {_inside()} AND total < %s", [*inside, least])
        if gone == count:
            return
    sql.run(
        "UPDATE mailstore_folderthread SET total = total + %s, unread = unread + %s, starred = starred + %s "
        f"WHERE {_inside()}",
        [*by, *inside],
    )
    if by[0]:
        newest = (
            f"SELECT max(e.sort_us) FROM {members_of('mailstore_folderthread.thread_id')} AS s "
            "CROSS JOIN mailstore_entry e WHERE e.message_id = s.message_id "
            "AND e.folder_id + 0 = mailstore_folderthread.folder_id"
        )
        sql.run(f"UPDATE mailstore_folderthread SET last_us = COALESCE(({newest}), last_us) WHERE {_inside()}", inside)


def _inside() -> str:
    """Some conversations of one folder, by the unique key: an index of the folder alone would be walked whole."""
    return f"+folder_id = %s AND {sql.among('thread_id')}"
