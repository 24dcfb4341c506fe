"""Whether the rows agree with each other: counters, ids, threads, labels, orders, recovery, blobs.

Each mailbox is looked at under its lock, so a busy store can be checked. `repair` writes what can be computed anew
(counters, threads, orphans); bytes that are gone can't be brought back and stay reported.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from django.db import transaction

from mailstore import sql
from mailstore.blobs import HOLDERS
from mailstore.check_orders import wrong_orders
from mailstore.ddl import ENTRY_SUMS
from mailstore.fields import COUNTER_BITS, MAX_COUNTER
from mailstore.flag_lists import wrong_lists
from mailstore.folder_threads import LEAST
from mailstore.ledger import Ledger
from mailstore.models import TODO_MARKS, Flag
from mailstore.objects import objects
from mailstore.services.recovery import drop_messages


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """Something that isn't as it should be. `mailbox` is 0 for what belongs to none."""

    mailbox: int
    check: str
    where: str
    stored: str
    expected: str
    repaired: bool = False


Check = Callable[[int, bool], Iterator[Finding]]


def check_store(mailbox: int | None = None, *, repair: bool = False) -> list[Finding]:
    """Look at one mailbox, or at all of them and what belongs to none."""
    if mailbox is not None:
        return _check_mailbox(mailbox, repair=repair)
    findings = list(find_missing_blobs())
    after = 0
    while found := sql.row("SELECT id FROM mailstore_mailbox WHERE id > %s ORDER BY id LIMIT 1", [after]):
        after = found[0]
        findings += _check_mailbox(after, repair=repair)
    return findings


def _check_mailbox(mailbox: int, *, repair: bool) -> list[Finding]:
    with transaction.atomic():
        Ledger([mailbox])
        return [finding for check in CHECKS for finding in check(mailbox, repair)]


def _orphans(mailbox: int, repair: bool) -> Iterator[Finding]:
    """Rows whose other half is gone. Children of a statement that `repair` deletes are found by the next."""
    for table, key, condition in ORPHANS:
        where = f"mailbox_id = %s AND {condition}"
        for (row_id,) in sql.rows(f"SELECT {key} FROM mailstore_{table} WHERE {where}", [mailbox]):
            yield Finding(mailbox, f"{table} without its other half", str(row_id), condition, "", repair)
        if repair:
            sql.run(f"DELETE FROM mailstore_{table} WHERE {where}", [mailbox])


def _lacks(table: str, key: str, column: str) -> str:
    return f"NOT EXISTS (SELECT 1 FROM mailstore_{table} o WHERE o.{key} = {column})"


ORPHANS = (
    ("entry", "id", _lacks("message", "id", "mailstore_entry.message_id")),
    ("entry", "id", _lacks("folder", "id", "mailstore_entry.folder_id")),
    ("recoverable", "id", _lacks("message", "id", "mailstore_recoverable.message_id")),
    ("recoverable", "id", "EXISTS (SELECT 1 FROM mailstore_entry o WHERE o.id = mailstore_recoverable.id)"),
    ("threadof", "message_id", _lacks("message", "id", "mailstore_threadof.message_id")),
    (
        "threadreference",
        "id",
        _lacks("threadof", "thread_id", "mailstore_threadreference.thread_id")
        + " AND "
        + _lacks("message", "id", "mailstore_threadreference.thread_id"),
    ),
    ("searchtodo", "message_id", _lacks("message", "id", "mailstore_searchtodo.message_id")),
    ("entrylabel", "id", _lacks("entry", "id", "mailstore_entrylabel.entry_id")),
    ("todo", "entry_id", _lacks("entry", "id", "mailstore_todo.entry_id")),
    ("snooze", "entry_id", _lacks("entry", "id", "mailstore_snooze.entry_id")),
    ("draftattachment", "id", _lacks("draft", "id", "mailstore_draftattachment.draft_id")),
    ("entrychange", "modseq", _lacks("folder", "id", "mailstore_entrychange.folder_id")),
    ("expunged", "id", _lacks("folder", "id", "mailstore_expunged.folder_id")),
)


def _draft_copies(mailbox: int, repair: bool) -> Iterator[Finding]:
    """A draft whose copy is gone keeps its text and forgets the copy."""
    where = f"mailbox_id = %s AND snapshot_entry_id IS NOT NULL AND {_lacks('entry', 'id', 'mailstore_draft.snapshot_entry_id')}"
    for draft_id, entry_id in sql.rows(f"SELECT id, snapshot_entry_id FROM mailstore_draft WHERE {where}", [mailbox]):
        yield Finding(mailbox, "draft without its copy", str(draft_id), str(entry_id), "", repair)
    if repair:
        sql.run(f"UPDATE mailstore_draft SET snapshot_entry_id = NULL WHERE {where}", [mailbox])


def _unheld_messages(mailbox: int, repair: bool) -> Iterator[Finding]:
    recoverable = {
        row[0] for row in sql.rows("SELECT message_id FROM mailstore_recoverable WHERE mailbox_id = %s", [mailbox])
    }
    query = f"SELECT id FROM mailstore_message WHERE mailbox_id = %s AND {_lacks('entry', 'message_id', 'mailstore_message.id')}"
    unheld = [row[0] for row in sql.rows(query, [mailbox]) if row[0] not in recoverable]
    for message_id in unheld:
        yield Finding(mailbox, "message without entry", str(message_id), "", "", repair)
    if repair:
        drop_messages(unheld)


def _folder_counters(mailbox: int, repair: bool) -> Iterator[Finding]:
    query = (
        f"SELECT f.id, f.total, f.unread, f.starred, f.bytes, {ENTRY_SUMS}, COALESCE(sum(e.size), 0) "
        "FROM mailstore_folder f LEFT JOIN mailstore_entry e ON e.folder_id = f.id WHERE f.mailbox_id = %s GROUP BY f.id"
    )
    for folder_id, *numbers in sql.rows(query, [mailbox]):
        stored, expected = tuple(map(int, numbers[:4])), tuple(map(int, numbers[4:]))
        if stored != expected:
            yield Finding(mailbox, "folder counters", str(folder_id), str(stored), str(expected), repair)
            if repair:
                sql.run(
                    "UPDATE mailstore_folder SET total = %s, unread = %s, starred = %s, bytes = %s WHERE id = %s",
                    [*expected, folder_id],
                )


def _folder_numbers(mailbox: int, repair: bool) -> Iterator[Finding]:
    """UIDNEXT above every UID ever given, HIGHESTMODSEQ not below any change and not above the mailbox's."""
    query = (
        "SELECT f.id, f.uidnext, f.highestmodseq, "
        "(SELECT max(e.uid) FROM mailstore_entry e WHERE e.folder_id = f.id), "
        "(SELECT max(e.modseq) FROM mailstore_entry e WHERE e.folder_id = f.id), "
        "(SELECT max(x.last_uid) FROM mailstore_expunged x WHERE x.folder_id = f.id), "
        "(SELECT max(x.modseq) FROM mailstore_expunged x WHERE x.folder_id = f.id) "
        "FROM mailstore_folder f WHERE f.mailbox_id = %s"
    )
    highest = 0
    for folder_id, uidnext, modseq, uid, changed, gone_uid, gone in sql.rows(query, [mailbox]):
        least = max(uidnext, (uid or 0) + 1, (gone_uid or 0) + 1), max(modseq, changed or 0, gone or 0)
        highest = max(highest, least[1])
        if (uidnext, modseq) != least:
            yield Finding(mailbox, "uidnext, highestmodseq", str(folder_id), str((uidnext, modseq)), str(least), repair)
            if repair:
                sql.run(
                    "UPDATE mailstore_folder SET uidnext = %s, highestmodseq = %s WHERE id = %s", [*least, folder_id]
                )
    (stored,) = sql.row("SELECT modseq FROM mailstore_mailbox WHERE id = %s", [mailbox])
    if stored < highest:
        yield Finding(mailbox, "mailbox modseq", "", str(stored), f">= {highest}", repair)
        if repair:
            sql.run("UPDATE mailstore_mailbox SET modseq = %s WHERE id = %s", [highest, mailbox])


def _change_log(mailbox: int, repair: bool) -> Iterator[Finding]:
    """Every entry that changed after others had come behind it is in the log of its folder."""
    query = "SELECT id, change_floor, highestmodseq FROM mailstore_folder WHERE mailbox_id = %s"
    for folder_id, floor, newest in sql.rows(query, [mailbox]):
        logged: dict[int, list[tuple[int, int]]] = {}
        changes = "SELECT modseq, first_uid, last_uid FROM mailstore_entrychange WHERE folder_id = %s"
        for modseq, first, last in sql.rows(changes, [folder_id]):
            logged.setdefault(modseq, []).append((first, last))
        behind, unknown = newest, []
        entries = "SELECT uid, modseq FROM mailstore_entry WHERE folder_id = %s ORDER BY uid DESC"
        for uid, modseq in sql.rows(entries, [folder_id]):
            is_logged = any(first <= uid <= last for first, last in logged.get(modseq, ()))
            if modseq > max(behind, floor) and not is_logged:
                unknown.append(uid)
            behind = min(behind, modseq)
        if unknown:
            yield Finding(mailbox, "changes without a record", str(folder_id), str(unknown[:10]), "", repair)
            if repair:
                sql.run("UPDATE mailstore_folder SET change_floor = highestmodseq WHERE id = %s", [folder_id])


def _mailbox_counters(mailbox: int, repair: bool) -> Iterator[Finding]:
    used = (
        "SELECT COALESCE(sum(e.size), 0) FROM mailstore_entry e JOIN mailstore_folder f ON f.id = e.folder_id "
        "WHERE e.mailbox_id = %s AND NOT f.is_quota_exempt"
    )
    recoverable = "SELECT COALESCE(sum(size), 0) FROM mailstore_recoverable WHERE mailbox_id = %s"
    expected = (int(sql.row(used, [mailbox])[0]), int(sql.row(recoverable, [mailbox])[0]))
    stored = tuple(sql.row("SELECT used_bytes, recoverable_bytes FROM mailstore_mailbox WHERE id = %s", [mailbox]))
    if stored != expected:
        yield Finding(mailbox, "used, recoverable bytes", "", str(stored), str(expected), repair)
        if repair:
            sql.run(
                "UPDATE mailstore_mailbox SET used_bytes = %s, recoverable_bytes = %s WHERE id = %s",
                [*expected, mailbox],
            )


def _next_id(mailbox: int, repair: bool) -> Iterator[Finding]:
    first, last = mailbox << COUNTER_BITS, mailbox << COUNTER_BITS | MAX_COUNTER
    tables = ("entry", "message", "folder", "recoverable", "draft", "draftattachment", "correspondent")
    newest = 0
    for table in tables:
        found = sql.row(f"SELECT max(id) FROM mailstore_{table} WHERE id BETWEEN %s AND %s", [first, last])[0]
        newest = max(newest, (found or 0) & MAX_COUNTER)
    (stored,) = sql.row("SELECT next_id FROM mailstore_mailbox WHERE id = %s", [mailbox])
    if stored <= newest:
        yield Finding(mailbox, "next id", "", str(stored), f"> {newest}", repair)
        if repair:
            sql.run("UPDATE mailstore_mailbox SET next_id = %s WHERE id = %s", [newest + 1, mailbox])


def _threads(mailbox: int, repair: bool) -> Iterator[Finding]:
    """A thread is named by a message that is in no other."""
    query = (
        "SELECT t.message_id, t.thread_id, o.thread_id FROM mailstore_threadof t "
        "JOIN mailstore_threadof o ON o.message_id = t.thread_id WHERE t.mailbox_id = %s AND o.thread_id <> t.thread_id"
    )
    for message_id, stored, expected in sql.rows(query, [mailbox]):
        yield Finding(mailbox, "thread in a thread", str(message_id), str(stored), str(expected), repair)
        if repair:
            sql.run("UPDATE mailstore_threadof SET thread_id = %s WHERE message_id = %s", [expected, message_id])


def _folder_threads(mailbox: int, repair: bool) -> Iterator[Finding]:
    query = (
        f"SELECT e.folder_id, COALESCE(t.thread_id, e.message_id), {ENTRY_SUMS}, max(e.sort_us) "
        "FROM mailstore_entry e LEFT JOIN mailstore_threadof t ON t.message_id = e.message_id "
        f"WHERE e.mailbox_id = %s GROUP BY 1, 2 HAVING count(*) >= {LEAST}"
    )
    columns = "folder_id, thread_id, total, unread, starred, last_us"
    expected = {(row[0], row[1]): tuple(map(int, row[2:])) for row in sql.rows(query, [mailbox])}
    found = sql.rows(f"SELECT {columns} FROM mailstore_folderthread WHERE mailbox_id = %s", [mailbox])
    stored = {(row[0], row[1]): tuple(row[2:]) for row in found}
    for key in sorted(expected.keys() | stored.keys()):
        if stored.get(key) == expected.get(key):
            continue
        yield Finding(mailbox, "folder, thread", str(key), str(stored.get(key)), str(expected.get(key)), repair)
        if repair:
            _rewrite_folder_thread(mailbox, key, expected.get(key))


def _rewrite_folder_thread(mailbox: int, key: tuple[int, int], numbers: tuple[int, ...] | None) -> None:
    if numbers is None:
        sql.run("DELETE FROM mailstore_folderthread WHERE folder_id = %s AND thread_id = %s", key)
        return
    sql.run(
        sql.insert(
            "mailstore_folderthread", "mailbox_id, folder_id, thread_id, total, unread, starred, last_us, participants"
        )
        + " ON CONFLICT (thread_id, folder_id) DO UPDATE SET total = excluded.total, unread = excluded.unread, "
        "starred = excluded.starred, last_us = excluded.last_us",
        [mailbox, *key, *numbers, ""],
    )


def _keywords(mailbox: int, repair: bool) -> Iterator[Finding]:
    """Keyword counters, and an `entry_label` row for each bit."""
    query = "SELECT k.id, k.bit, k.total, k.unread FROM mailstore_keyword k WHERE k.mailbox_id = %s"
    for keyword_id, bit, total, unread in sql.rows(query, [mailbox]):
        counted = f"SELECT {ENTRY_SUMS} FROM mailstore_entry e WHERE e.mailbox_id = %s AND (e.keywords & %s) <> 0"
        expected = tuple(map(int, sql.row(counted, [mailbox, 1 << bit])[:2]))
        labelled = sql.row("SELECT count(*) FROM mailstore_entrylabel WHERE keyword_id = %s", [keyword_id])[0]
        if labelled != expected[0]:
            yield Finding(mailbox, "label rows", str(keyword_id), str(labelled), str(expected[0]), repair)
            if repair:
                _rewrite_labels(mailbox, keyword_id, bit)
        if (total, unread) != expected:
            yield Finding(mailbox, "keyword counters", str(keyword_id), str((total, unread)), str(expected), repair)
            if repair:
                sql.run("UPDATE mailstore_keyword SET total = %s, unread = %s WHERE id = %s", [*expected, keyword_id])


def _rewrite_labels(mailbox: int, keyword_id: int, bit: int) -> None:
    sql.run("DELETE FROM mailstore_entrylabel WHERE keyword_id = %s", [keyword_id])
    sql.run(
        "INSERT INTO mailstore_entrylabel (keyword_id, mailbox_id, folder_id, sort_us, entry_id) "
        "SELECT %s, mailbox_id, folder_id, sort_us, id FROM mailstore_entry WHERE mailbox_id = %s AND (keywords & %s) <> 0",
        [keyword_id, mailbox, 1 << bit],
    )


def _todo_flags(mailbox: int, repair: bool) -> Iterator[Finding]:
    """Each entry has the flag of its row of `todo`, and none without."""
    mark = f"CASE WHEN t.entry_id IS NULL THEN 0 WHEN t.done_us IS NULL THEN {Flag.TODO:d} ELSE {Flag.DONE:d} END"
    query = (
        f"SELECT e.id, e.flags, {mark} FROM mailstore_entry e LEFT JOIN mailstore_todo t ON t.entry_id = e.id "
        f"WHERE e.mailbox_id = %s AND (e.flags & {TODO_MARKS}) <> {mark}"
    )
    for entry_id, flags, wanted in sql.rows(query, [mailbox]):
        yield Finding(mailbox, "to-do flag", str(entry_id), str(flags & TODO_MARKS), str(wanted), repair)
        if repair:
            statement = "UPDATE mailstore_entry SET flags = %s WHERE id = %s"
            sql.run(statement, [flags & ~TODO_MARKS | wanted, entry_id])


def _orders(mailbox: int, repair: bool) -> Iterator[Finding]:
    for wrong in wrong_orders(mailbox, repair):
        yield Finding(mailbox, *wrong, repair)


def _flag_lists(mailbox: int, repair: bool) -> Iterator[Finding]:
    for wrong in wrong_lists(mailbox, repair):
        yield Finding(mailbox, *wrong, repair)


def find_missing_blobs() -> Iterator[Finding]:
    """Every held blob exists, and every object that a row names."""
    for (table, column), name in HOLDERS.items():
        query = (
            f"SELECT DISTINCT h.{column} FROM {table} h WHERE h.{column} IS NOT NULL "
            f"AND NOT EXISTS (SELECT 1 FROM mailstore_blob b WHERE b.id = h.{column})"
        )
        for (blob_id,) in sql.rows(query):
            yield Finding(0, f"blob of {name}", str(blob_id), "missing", "a row")
    store = objects()
    for blob_id, key in sql.rows("SELECT id, key FROM mailstore_blob WHERE key <> ''"):
        if not store.exists(key):
            yield Finding(0, "blob object", str(blob_id), "missing", key)


CHECKS: tuple[Check, ...] = (
    _orphans,
    _draft_copies,
    _unheld_messages,
    _threads,
    _folder_counters,
    _folder_numbers,
    _change_log,
    _mailbox_counters,
    _next_id,
    _folder_threads,
    _keywords,
    _todo_flags,
    _orders,
    _flag_lists,
)
