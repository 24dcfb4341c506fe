"""A folder as a mail program follows it: all UIDs with their flags, and what changed after a modseq.

The callers hold an `Access` that opened the folder (`open_folder`); these functions are below it and serve an index
that all sessions of a process share.
"""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Iterable, Sequence

from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.entry_changes import MAX_RANGES, Range

STRETCH = 4_096
STRETCHES_MAX = 256
"""`folder_uids` asks in so many steps at most, however far apart the UIDs of a folder are."""


@dataclasses.dataclass(frozen=True, slots=True)
class FolderState:
    """The counters that say whether anything changed."""

    modseq: int
    uidnext: int
    total: int


@dataclasses.dataclass(frozen=True, slots=True)
class FolderChanges:
    """(uid, flags, keywords, modseq) of what came or changed, by ascending UID; UID ranges that left; the modseq reached."""

    rows: list[tuple[int, int, int, int]]
    gone: list[tuple[int, int]]
    modseq: int


def folder_state(folder_id: int) -> FolderState:
    """One row by its key. NOT_FOUND."""
    row = sql.row("SELECT highestmodseq, uidnext, total FROM mailstore_folder WHERE id = %s", [folder_id])
    if row is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return FolderState(*row)


def first_unread_number(folder_id: int) -> int:
    """The place of the first unread entry by UID, from 1; 0 for none. Walks through the folder."""
    query = (
        "SELECT COUNT(*) FROM mailstore_entry WHERE folder_id = %s AND uid <= "
        "(SELECT MIN(uid) FROM mailstore_entry WHERE folder_id = %s AND flags & 1 = 0)"
    )
    row = sql.row(query, [folder_id, folder_id])
    return row[0] if row is not None else 0


def whole_folder(folder_id: int) -> tuple[int, list[tuple[int, int, int]]]:
    """(modseq, rows) of everything in a folder by ascending UID. The rows may be newer than the modseq, never older."""
    modseq = folder_state(folder_id).modseq
    query = "SELECT uid, flags, keywords FROM mailstore_entry WHERE folder_id = %s ORDER BY uid"
    return modseq, sql.rows(query, [folder_id])


def folder_uids(folder_id: int) -> tuple[int, array[int]]:
    """(modseq, UIDs of everything in a folder, ascending). They may be newer than the modseq, never older.

    Stretches without a gap, which most are, are only counted: a fifth of the time of listing them.
    """
    modseq = folder_state(folder_id).modseq
    end_of = "(SELECT {}(uid) FROM mailstore_entry WHERE folder_id = %s)"  # together they would be a walk through all
    ends = sql.row(f"SELECT {end_of.format('min')}, {end_of.format('max')}", [folder_id, folder_id])
    found = array("I")
    if ends[0] is None:
        return modseq, found
    first, last = ends
    step = max(STRETCH, (last - first) // STRETCHES_MAX + 1)
    within = "FROM mailstore_entry WHERE folder_id = %s AND uid BETWEEN %s AND %s"
    listing = f"SELECT {sql.collected('uid')} FROM (SELECT uid {within} ORDER BY uid) AS ordered"
    for begin in range(first, last + 1, step):
        end = min(begin + step - 1, last)
        count = sql.row(f"SELECT count(*) {within}", [folder_id, begin, end])[0]
        if count == end - begin + 1:
            found.extend(range(begin, end + 1))
        elif count:
            listed = sql.row(listing, [folder_id, begin, end])[0]
            found.extend(sql.listed(listed) if listed else ())
    return modseq, found


def changes_after(folder_id: int, modseq: int, limit: int) -> FolderChanges | None:
    """What changed after `modseq`; None when it is more than `limit` rows, or older than what is remembered of
    expunged UIDs. A row that came and went shows in `gone` alone; one that left and came back has another UID."""
    row = sql.row("SELECT highestmodseq, expunge_floor FROM mailstore_folder WHERE id = %s", [folder_id])
    if row is None:
        raise MailError(ErrorKind.NOT_FOUND)
    reached, floor = row
    if modseq < floor:
        return None
    values = [folder_id, modseq, limit + 1]
    # In this order: what leaves between the two queries is still known, and gone the next time; never the other way.
    gone = sql.rows(
        "SELECT first_uid, last_uid FROM mailstore_expunged WHERE folder_id = %s AND modseq > %s ORDER BY modseq LIMIT %s",
        values,
    )
    changed = changed_rows(folder_id, modseq, limit + 1)
    if len(changed) > limit or len(gone) > limit:
        return None
    return FolderChanges(changed, [(first, last) for first, last in gone], reached)


def changed_ranges(folder_id: int, modseq: int) -> list[Range]:
    """UID ranges, ascending and apart, that hold everything that came or changed after `modseq`, and perhaps more."""
    row = sql.row("SELECT change_floor, uidnext FROM mailstore_folder WHERE id = %s", [folder_id])
    if row is None or row[1] <= 1:
        return []
    floor, uidnext = row
    if modseq < floor:
        return [(1, uidnext - 1)]
    older = sql.row(
        "SELECT uid FROM mailstore_entry WHERE folder_id = %s AND modseq <= %s ORDER BY uid DESC LIMIT 1",
        [folder_id, modseq],
    )
    known = older[0] if older is not None else 0
    query = "SELECT first_uid, last_uid FROM mailstore_entrychange WHERE folder_id = %s AND modseq > %s"
    logged = [(first, min(last, known)) for first, last in sql.rows(query, [folder_id, modseq]) if first <= known]
    came = [(known + 1, uidnext - 1)] if known + 1 < uidnext else []
    return _joined(logged + came)


def changed_rows(folder_id: int, modseq: int, limit: int) -> list[tuple[int, int, int, int]]:
    """(uid, flags, keywords, modseq) of the entries that changed after `modseq`, by ascending UID, at most `limit`."""
    ranges = changed_ranges(folder_id, modseq)
    if len(ranges) > MAX_RANGES:
        single = [first for first, last in ranges if first == last]
        ranges = [each for each in ranges if each[0] < each[1]]
        ranges = ranges if len(ranges) <= MAX_RANGES else [(ranges[0][0], ranges[-1][1])]
    else:
        single = []
    found: dict[int, tuple[int, int, int, int]] = {}
    query = "SELECT uid, flags, keywords, modseq FROM mailstore_entry WHERE folder_id = %s AND modseq > %s"
    for part in sql.slices(single):
        rows = sql.rows(f"{query} AND {sql.among('uid')} LIMIT %s", [folder_id, modseq, sql.numbers(part), limit])
        found.update((row[0], row) for row in rows)
    for first, last in ranges:
        if len(found) >= limit:
            break
        rows = sql.rows(
            f"{query} AND uid BETWEEN %s AND %s ORDER BY uid LIMIT %s", [folder_id, modseq, first, last, limit]
        )
        found.update((row[0], row) for row in rows)
    return [found[uid] for uid in sorted(found)][:limit]


def cut(ranges: Iterable[Range], allowed: Sequence[Range]) -> list[Range]:
    """What of `ranges` lies within `allowed`; both ascend and have no overlaps."""
    found = []
    place = 0
    for first, last in ranges:
        while place < len(allowed) and allowed[place][1] < first:
            place += 1
        for low, high in allowed[place:]:
            if low > last:
                break
            found.append((max(first, low), min(last, high)))
    return found


def gone_after(folder_id: int, modseq: int) -> list[tuple[int, int]]:
    """UID ranges that left after `modseq`. UNAVAILABLE when that is older than what is remembered."""
    row = sql.row("SELECT expunge_floor FROM mailstore_folder WHERE id = %s", [folder_id])
    if row is None:
        raise MailError(ErrorKind.NOT_FOUND)
    if modseq < row[0]:
        raise MailError(ErrorKind.UNAVAILABLE)
    query = "SELECT first_uid, last_uid FROM mailstore_expunged WHERE folder_id = %s AND modseq > %s ORDER BY first_uid"
    return [(first, last) for first, last in sql.rows(query, [folder_id, modseq])]


def modseqs_of(folder_id: int, first_uid: int, last_uid: int) -> list[tuple[int, int]]:
    """(uid, modseq) of the messages between two UIDs, both included."""
    query = "SELECT uid, modseq FROM mailstore_entry WHERE folder_id = %s AND uid BETWEEN %s AND %s"
    return sql.rows(query, [folder_id, first_uid, last_uid])


def uidvalidity_of(folder_id: int) -> int:
    """UIDVALIDITY (RFC 9051 2.3.1.1). NOT_FOUND."""
    row = sql.row("SELECT uidvalidity FROM mailstore_folder WHERE id = %s", [folder_id])
    if row is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return int(row[0])


def entries_of(folder_id: int, ranges: list[tuple[int, int]], limit: int, *, flag: int = 0) -> list[tuple[int, int]]:
    """(uid, entry id) of messages in UID ranges, ascending, at most `limit`; with `flag` only those that carry it."""
    found: list[tuple[int, int]] = []
    carrying = f" AND (flags & {int(flag)}) <> 0" if flag else ""
    for first, last in ranges:
        query = (
            f"SELECT uid, id FROM mailstore_entry WHERE folder_id = %s AND uid BETWEEN %s AND %s{carrying} "
            "ORDER BY uid LIMIT %s"
        )
        found += sql.rows(query, [folder_id, first, last, limit - len(found)])
        if len(found) >= limit:
            break
    return found


def count_flag(folder_id: int, flag: int) -> int:
    """How many messages of a folder carry a flag that has no counter."""
    query = "SELECT count(*) FROM mailstore_entry WHERE folder_id = %s AND (flags & %s) <> 0"
    return int(sql.row(query, [folder_id, int(flag)])[0])


def count_above(folder_id: int, uid: int) -> tuple[int, int]:
    """How many messages of a folder have a higher UID, and the modseq at which that was so. NOT_FOUND when it is gone."""
    query = (
        "SELECT (SELECT count(*) FROM mailstore_entry WHERE folder_id = f.id AND uid > %s), highestmodseq "
        "FROM mailstore_folder f WHERE id = %s"
    )
    found = sql.row(query, [uid, folder_id])
    if found is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return int(found[0]), int(found[1])


def flagged_bytes(folder_id: int, flag: int) -> int:
    """The size of the messages of a folder that carry a flag."""
    query = "SELECT COALESCE(sum(size), 0) FROM mailstore_entry WHERE folder_id = %s AND (flags & %s) <> 0"
    return int(sql.row(query, [folder_id, int(flag)])[0])


def uids_of(entry_ids: list[int]) -> dict[int, int]:
    """Entry to UID, of those that exist."""
    found: dict[int, int] = {}
    for part in sql.slices(entry_ids):
        found.update(sql.rows(f"SELECT id, uid FROM mailstore_entry WHERE id IN ({sql.marks(part)})", part))
    return found


def _joined(ranges: Iterable[Range]) -> list[Range]:
    found: list[Range] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found
