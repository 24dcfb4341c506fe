"""One entry: its facts, its bytes, what stands beside it, and what changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import blobs, sql
from mailstore.fields import mailbox_of
from mailstore.message import message_id_hash
from mailstore.models import Role
from mailstore.selectors.folders import is_locked, locked_folders
from mailstore.selectors.lists import ALL, NATURAL, ROW_COLUMNS, ROW_JOINS, By, Filter, Key, ListRow, Sort, list_page
from mailstore.thread_members import members_of

MAX_THREAD_ROWS = 500

FACTS = (
    "f.role, e.modseq, e.internal_us, m.sent_us, m.received_us, m.header_length, m.trace_length, e.verdict, "
    "e.matched_address, COALESCE(t.thread_id, e.message_id), COALESCE(m.judgement, '')"
)


@dataclasses.dataclass(frozen=True, slots=True)
class EntryRow(ListRow):
    """An entry with its folder's role and the facts of its message."""

    folder_role: str
    modseq: int
    internal_us: int
    sent_us: int | None
    received_us: int
    header_length: int
    trace_length: int
    verdict: int
    matched_address: str
    thread_id: int
    judgement: str


def get(access: Access, entry_id: int) -> EntryRow:
    """One query. NOT_FOUND for what isn't in this mailbox, NO_PERMISSION in a locked folder."""
    row = _one(access, entry_id, f"{ROW_COLUMNS}, {FACTS}")
    return EntryRow(*row)


def raw(access: Access, entry_id: int) -> bytes:
    """The stored bytes: trace block and received message. One query. UNAVAILABLE when the object can't be had."""
    codec, data, key, size, _ = _blob(access, entry_id)
    return blobs.decode(codec, data, key, size)


def original(access: Access, entry_id: int) -> bytes:
    """The bytes as they were received, without our trace block."""
    codec, data, key, size, trace_length = _blob(access, entry_id)
    return blobs.decode(codec, data, key, size)[trace_length:]


def neighbours(
    access: Access,
    entry_id: int,
    filter: Filter = ALL,  # noqa: A002 - the contract's name
    sort: Sort = NATURAL,
) -> tuple[ListRow | None, ListRow | None]:
    """(the one before, the one after) in the list of the entry's folder that `filter` (not its text) and `sort` make."""
    entry = get(access, entry_id)
    wanted = dataclasses.replace(filter, text="")
    here = Key(entry.sort_us if sort.by is By.DATE else _value(entry_id, sort.by), entry_id)
    before = list_page(access, entry.folder_id, filter=wanted, sort=sort, before=here, limit=1).rows
    after = list_page(access, entry.folder_id, filter=wanted, sort=sort, after=here, limit=1).rows
    return before[0] if before else None, after[0] if after else None


def _value(entry_id: int, by: By) -> int | str:
    found: int | str = sql.row(f"SELECT {by.column} FROM mailstore_entry WHERE id = %s", [entry_id])[0]
    return found


def thread(access: Access, entry_id: int) -> list[ListRow]:
    """The conversation, oldest first, in every folder but trash, junk and locked ones (unless the entry itself lies
    there); at most its newest 500."""
    entry = get(access, entry_id)
    locked = locked_folders(access)
    query = (
        f"SELECT {ROW_COLUMNS} FROM {members_of('%s')} AS s CROSS JOIN mailstore_entry e {ROW_JOINS} "
        "JOIN mailstore_folder f ON f.id = e.folder_id "
        "WHERE e.message_id = s.message_id AND e.mailbox_id = %s AND m.id = e.message_id "
        f"AND (f.role NOT IN ('trash', 'junk') OR f.id = %s) AND NOT f.id IN ({sql.marks(locked) if locked else '0'}) "
        "ORDER BY e.sort_us DESC, e.id DESC LIMIT %s"
    )
    found = sql.rows(
        query, [entry.thread_id, entry.thread_id, access.mailbox, entry.folder_id, *locked, MAX_THREAD_ROWS]
    )
    return [ListRow(*row) for row in reversed(found)]


def rows_of(access: Access, entry_ids: Sequence[int]) -> list[ListRow]:
    """Those of the entries that exist here, in no order (a list redrawing some of its rows)."""
    access.require(Right.READ)
    own = [entry_id for entry_id in entry_ids if mailbox_of(entry_id) == access.mailbox][: sql.SLICE]
    locked = set(locked_folders(access))
    query = f"SELECT {ROW_COLUMNS} FROM mailstore_entry e {ROW_JOINS} WHERE e.id IN ({sql.marks(own)}) AND m.id = e.message_id"
    rows = [ListRow(*row) for row in sql.rows(query, own)]
    return [row for row in rows if row.folder_id not in locked]


def known_message_ids(access: Access, message_ids: Iterable[str]) -> set[str]:
    """Which of these Message-IDs a mail of this mailbox has, wherever it lies (an import that is taken up again)."""
    access.require(Right.READ)
    found: set[str] = set()
    for some in sql.slices(message_ids):
        by_hash = {message_id_hash(each): each for each in some}
        query = f"SELECT message_id_hash FROM mailstore_message WHERE mailbox_id = %s AND message_id_hash IN ({sql.marks([*by_hash])})"
        found |= {by_hash[row[0]] for row in sql.rows(query, [access.mailbox, *by_hash])}
    return found


def _one(access: Access, entry_id: int, columns: str) -> Any:
    access.require(Right.READ)
    if mailbox_of(entry_id) != access.mailbox:
        raise MailError(ErrorKind.NOT_FOUND)
    query = (
        f"SELECT f.lock_scope, {columns} FROM mailstore_entry e CROSS JOIN mailstore_folder f {ROW_JOINS} "
        "WHERE e.id = %s AND e.mailbox_id = %s AND f.id = e.folder_id AND m.id = e.message_id"
    )
    row = sql.row(query, [entry_id, access.mailbox])
    if row is None:
        raise MailError(ErrorKind.NOT_FOUND)
    if is_locked(access, row[1], row[0]):
        raise MailError(ErrorKind.NO_PERMISSION, locked=row[1])
    return row[1:]


def _blob(access: Access, entry_id: int) -> Any:
    access.require(Right.READ)
    if mailbox_of(entry_id) != access.mailbox:
        raise MailError(ErrorKind.NOT_FOUND)
    query = (
        "SELECT f.lock_scope, e.folder_id, b.codec, b.data, b.key, b.size, m.trace_length FROM mailstore_entry e "
        "JOIN mailstore_folder f ON f.id = e.folder_id JOIN mailstore_message m ON m.id = e.message_id "
        "JOIN mailstore_blob b ON b.id = m.blob_id WHERE e.id = %s AND e.mailbox_id = %s"
    )
    row = sql.row(query, [entry_id, access.mailbox])
    if row is None:
        raise MailError(ErrorKind.NOT_FOUND)
    if is_locked(access, row[1], row[0]):
        raise MailError(ErrorKind.NO_PERMISSION, locked=row[1])
    return row[2:]


def by_message_id(access: Access, message_id: str, *, role: Role) -> int | None:
    """The newest entry with this Message-ID (without brackets) in a system folder; one query along an index."""
    access.require(Right.READ)
    query = (
        "SELECT e.id FROM mailstore_message m JOIN mailstore_entry e ON e.message_id = m.id "
        "JOIN mailstore_folder f ON f.id = e.folder_id "
        "WHERE m.mailbox_id = %s AND m.message_id_hash = %s AND f.role = %s ORDER BY e.id DESC LIMIT 1"
    )
    row = sql.row(query, [access.mailbox, message_id_hash(message_id), role.value])
    return row[0] if row else None


def message_ids_of(access: Access, entry_ids: Sequence[int]) -> dict[int, str]:
    """Entry to Message-ID (without brackets), of those that have one that is written plainly."""
    access.require(Right.READ)
    query = (
        "SELECT e.id, m.envelope FROM mailstore_entry e JOIN mailstore_message m ON m.id = e.message_id "
        f"WHERE {sql.among('e.id')} AND e.mailbox_id = %s"
    )
    found = {}
    for entry_id, envelope in sql.rows(query, [sql.numbers(entry_ids), access.mailbox]):
        begin = envelope.rfind('"<')
        if begin >= 0 and envelope.endswith('>")') and '"' not in envelope[begin + 1 : -2]:
            found[entry_id] = envelope[begin + 2 : -3]
    return found
