"""Rows of messages for mail programs: by UID ranges in chunks, with the columns that are asked for and no others.

The callers hold an `Access` that opened the folder (`open_folder`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mailstore import blobs, sql

COLUMNS: dict[str, str] = {
    "uid": "e.uid",
    "entry": "e.id",
    "folder": "e.folder_id",
    "flags": "e.flags",
    "keywords": "e.keywords",
    "modseq": "e.modseq",
    "internal_us": "e.internal_us",
    "saved_us": "COALESCE(e.saved_us, e.internal_us)",
    "size": "e.size",
    "message": "e.message_id",
    "envelope": "m.envelope",
    "bodystructure": "m.bodystructure",
    "preview": "m.preview",
    "subject": "m.subject",
    "sent_us": "m.sent_us",
    "own_hash": "m.message_id_hash",
    "ancestors": "m.ancestors",
    "header_length": "m.header_length",
    "received_us": "m.received_us",
    "thread": "COALESCE(t.thread_id, e.message_id)",
    "codec": "b.codec",
    "data": "b.data",
    "key": "b.key",
    "blob_size": "b.size",
}
CHUNK_ROWS = 2_000
HEAD_COLUMNS = ("header_length", "codec", "data", "key", "blob_size")
"""What `beginnings` takes."""


def columns_join(columns: Sequence[str]) -> str:
    """The tables that these columns need."""
    wanted = {COLUMNS[each][0] for each in columns} | {"t" * ("thread" in columns)}
    joins = "mailstore_entry e"
    if wanted & {"m", "b"}:
        joins += " CROSS JOIN mailstore_message m"
    if "b" in wanted:
        joins += " CROSS JOIN mailstore_blob b"
    if "t" in wanted:
        joins += " LEFT JOIN mailstore_threadof t ON t.message_id = e.message_id"
    return joins


def fetch_rows(
    folder_id: int, first: int, last: int, columns: Sequence[str], *, after_modseq: int = 0, limit: int = CHUNK_ROWS
) -> list[Any]:
    """At most `limit` rows of the UIDs `first` to `last`, ascending; those changed after a modseq when it is given."""
    joins = columns_join(columns)
    condition = f"e.folder_id = %s AND e.uid BETWEEN %s AND %s{_joined(joins)}"
    values: list[object] = [folder_id, first, last]
    if after_modseq:
        condition += " AND e.modseq > %s"
        values.append(after_modseq)
    names = ", ".join(COLUMNS[each] for each in columns)
    return sql.rows(f"SELECT {names} FROM {joins} WHERE {condition} ORDER BY e.uid LIMIT %s", [*values, limit])


def _joined(joins: str) -> str:
    """What holds the tables together."""
    with_message = " AND m.id = e.message_id" if "mailstore_message m" in joins else ""
    return with_message + (" AND b.id = m.blob_id" if "mailstore_blob b" in joins else "")


def rows_by_uid(folder_id: int, uids: Sequence[int], columns: Sequence[str]) -> list[Any]:
    """As `fetch_rows`, of the messages with these UIDs."""
    joins = columns_join(columns)
    names = ", ".join(COLUMNS[each] for each in columns)
    condition = f"e.folder_id = %s AND {sql.among('e.uid')}{_joined(joins)}"
    query = f"SELECT {names} FROM {joins} WHERE {condition} ORDER BY e.uid"
    return sql.rows(query, [folder_id, sql.numbers(uids)])


def still_in(folder_id: int, entry_ids: Sequence[int]) -> list[tuple[int, int, int, int, int]]:
    """(entry, uid, flags, keywords, modseq) of those that lie in a folder."""
    found: list[tuple[int, int, int, int, int]] = []
    for part in sql.slices(entry_ids):
        query = f"SELECT id, uid, flags, keywords, modseq FROM mailstore_entry WHERE id IN ({sql.marks(part)}) AND folder_id = %s"
        found += sql.rows(query, [*part, folder_id])
    return found


def beginnings(rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """The header block of each row of HEAD_COLUMNS. UNAVAILABLE when an object can't be had."""
    for length, codec, data, key, size in rows:
        yield blobs.decode_head(codec, data, key, min(size, length))


def beginning(codec: int, data: bytes | None, key: str, size: int, *, length: int) -> bytes:
    """The first `length` stored bytes of a row's blob columns. UNAVAILABLE when the object can't be had."""
    return blobs.decode_head(codec, data, key, min(size, length))


def content(codec: int, data: bytes | None, key: str, size: int) -> bytes:
    """The stored bytes of a row's blob columns. UNAVAILABLE when the object can't be had."""
    return blobs.decode(codec, data, key, size)
