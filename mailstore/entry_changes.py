"""Which entries of a folder changed after a mod-sequence (RFC 7162), without an index that every change would rewrite.

An entry knows its modseq. UIDs and modseqs rise together when entries come, so what came after a modseq stands at the
end of the folder, behind the last entry that is not newer. What changed since it came is in the log: a range of UIDs
for each folder and transaction, which may name more than changed, never less. `Folder.change_floor` says from which
modseq on the log is whole; what is asked from before it is looked for in the whole folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.bulk import insert_rows
from mailstore import sql

Range = tuple[int, int]

MAX_RANGES = 200
"""Ranges that one transaction logs for a folder at most, and that one question reads one by one."""
DENSE = 4
"""UIDs of a range for each one that changed, at most."""


def spans(uids: Iterable[int]) -> list[Range]:
    """Ranges that hold all of them, and few others."""
    found: list[Range] = []
    for uid in sorted(uids):
        if found and uid - found[-1][1] <= DENSE:
            found[-1] = (found[-1][0], uid)
        else:
            found.append((uid, uid))
    return found if len(found) <= MAX_RANGES else [(found[0][0], found[-1][1])]


def is_dense(first: int, last: int, count: int) -> bool:
    """Whether one range will do for `count` UIDs between two."""
    return last - first < DENSE * count


def write(rows: Sequence[tuple[int, int, int, int, int]]) -> None:
    """(mailbox, folder, modseq, first UID, last UID), in the caller's transaction, under the mailbox's lock."""
    insert_rows("mailstore_entrychange", "mailbox_id, folder_id, modseq, first_uid, last_uid", rows)


def trim(folder_id: int, keep: int) -> int:
    """Forget all but the newest `keep` ranges and say so by the folder's floor; how many went. In the caller's
    transaction, under the mailbox's lock."""
    query = "SELECT modseq FROM mailstore_entrychange WHERE folder_id = %s ORDER BY modseq DESC LIMIT 1 OFFSET %s"
    floor = sql.row(query, [folder_id, keep])
    if floor is None:
        return 0
    raise_floor = "UPDATE mailstore_folder SET change_floor = %s WHERE id = %s AND change_floor < %s"
    sql.run(raise_floor, [floor[0], folder_id, floor[0]])
    return sql.run("DELETE FROM mailstore_entrychange WHERE folder_id = %s AND modseq <= %s", [folder_id, floor[0]])
