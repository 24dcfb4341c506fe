"""What POP3 shows of a mailbox: mails of some folders since a moment, oldest first."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import blobs, sql
from mailstore.fields import mailbox_of
from mailstore.selectors.folders import FolderRow


@dataclasses.dataclass(frozen=True, slots=True)
class Drop:
    """Which mails: `bounds` are (folder, UIDNEXT when the session began), `since_us` the oldest date or None. `total`
    and `bytes` are the folders' counters then."""

    bounds: tuple[tuple[int, int], ...]
    since_us: int | None
    total: int
    bytes: int

    @classmethod
    def of(cls, folders: Sequence[FolderRow], since_us: int | None) -> Drop:
        """Of these folders as they are."""
        bounds = tuple((row.id, row.uidnext) for row in folders)
        return cls(bounds, since_us, sum(row.total for row in folders), sum(row.bytes for row in folders))


def drop_count(access: Access, drop: Drop) -> tuple[int, int]:
    """(count, bytes): by counters where everything shows, else by the index of dates."""
    access.require(Right.READ)
    if drop.since_us is None:
        return drop.total, drop.bytes
    count = size = 0
    for folder_id, uidnext in drop.bounds:
        query = (
            "SELECT count(*), COALESCE(sum(size), 0) FROM mailstore_entry "
            "WHERE folder_id = %s AND mailbox_id = %s AND uid < %s AND sort_us >= %s"
        )
        row = sql.row(query, [folder_id, access.mailbox, uidnext, drop.since_us])
        count, size = count + int(row[0]), size + int(row[1])
    return count, size


def drop_rows(access: Access, drop: Drop) -> list[tuple[int, int]]:
    """(entry, size) of all, by date."""
    access.require(Right.READ)
    found: list[tuple[int, int, int]] = []
    for folder_id, uidnext in drop.bounds:
        query = "SELECT sort_us, id, size FROM mailstore_entry WHERE folder_id = %s AND mailbox_id = %s AND uid < %s"
        values = [folder_id, access.mailbox, uidnext]
        if drop.since_us is not None:
            query += " AND sort_us >= %s"
            values.append(drop.since_us)
        found += sql.rows(query, values)
    return [(entry_id, size) for _, entry_id, size in sorted(found)]


def letters(access: Access, entry_ids: Sequence[int]) -> dict[int, tuple[bytes, int, int]]:
    """(stored bytes, header length, message) of entries that are there, one query. NOT_FOUND, UNAVAILABLE."""
    access.require(Right.READ)
    if any(mailbox_of(entry_id) != access.mailbox for entry_id in entry_ids):
        raise MailError(ErrorKind.NOT_FOUND)
    query = (
        "SELECT e.id, b.codec, b.data, b.key, b.size, m.header_length, m.id FROM mailstore_entry e "
        "JOIN mailstore_message m ON m.id = e.message_id JOIN mailstore_blob b ON b.id = m.blob_id "
        f"WHERE e.id IN ({sql.marks(entry_ids)})"
    )
    return {row[0]: (blobs.decode(*row[1:5]), row[5], row[6]) for row in sql.rows(query, list(entry_ids))}
