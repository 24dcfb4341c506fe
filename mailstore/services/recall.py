"""Taking a message out of a mailbox without a trace of its content: its sender recalls it.

Found by its bytes, wherever a filter or its owner has put it, 已删除 and the recovery included; copies in a monitor's
folder are no copies of the recipient's. Whether it was read is decided under the mailbox's lock.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence

from core.access import system_access
from mailstore import sql
from mailstore.ledger import Ledger
from mailstore.models import Flag, Role
from mailstore.services.deletion_log import Deletion, note
from mailstore.services.purge import purge_rows
from mailstore.services.recovery import forget_recoverable
from mailstore.services.rows import load


class Removal(enum.Enum):
    """What became of the copies in one mailbox."""

    REMOVED = "removed"
    READ = "read"
    OPENED = "opened"
    ABSENT = "absent"


def mailboxes_with(sha256: bytes) -> dict[int, list[int]]:
    """Mailbox to its messages that have these bytes, but for those that lie in a monitor's folder alone. Two queries
    along indexes."""
    row = sql.row("SELECT id FROM mailstore_blob WHERE sha256 = %s", [sha256])
    found: dict[int, list[int]] = {}
    if row is not None:
        placed = (
            "SELECT 1 FROM mailstore_entry e JOIN mailstore_folder f ON f.id = e.folder_id "
            "WHERE e.message_id = m.id AND f.role"
        )
        query = (
            "SELECT m.mailbox_id, m.id FROM mailstore_message m WHERE m.blob_id = %s AND "
            f"(NOT EXISTS ({placed} = 'monitor') OR EXISTS ({placed} <> 'monitor')) ORDER BY m.mailbox_id, m.id"
        )
        for mailbox, message_id in sql.rows(query, [row[0]]):
            found.setdefault(mailbox, []).append(message_id)
    return found


def remove_copies(
    mailbox: int, message_ids: Sequence[int], *, is_opened: Callable[[Sequence[int]], bool], even_read: bool = False
) -> Removal:
    """Remove every copy of these messages unless one of them has been read (\\Seen) or `is_opened`; `even_read` removes
    all the same. All or nothing, in the caller's transaction; the deletion log says that it was recalled."""
    ledger = Ledger([mailbox])
    numbers = sql.numbers(message_ids)
    query = (
        "SELECT e.id, e.flags FROM mailstore_entry e JOIN mailstore_folder f ON f.id = e.folder_id "
        f"WHERE {sql.among('e.message_id')} AND f.role <> %s"
    )
    living = sql.rows(query, [numbers, Role.MONITOR.value])
    query = f"SELECT id, flags, message_id, size FROM mailstore_recoverable WHERE {sql.among('message_id')}"
    buried = sql.rows(query, [numbers])
    if not living and not buried:
        return Removal.ABSENT
    if not even_read:
        if any(row[1] & Flag.SEEN for row in (*living, *buried)):
            return Removal.READ
        if is_opened(message_ids):
            return Removal.OPENED
    access = system_access(mailbox)
    note(access, Deletion.RECALL, message_ids)
    purge_rows(ledger, access, load(ledger, access, [row[0] for row in living]), keep=False, was_searched=True)
    forget_recoverable(ledger, mailbox, [(row[0], row[2], row[3]) for row in buried])
    ledger.write()
    return Removal.REMOVED
