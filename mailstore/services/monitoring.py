"""The folder 邮件监控 of a monitor, with one for each person whose mail he sees; written by the system alone."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from mailstore import sql
from mailstore.ledger import Ledger
from mailstore.models import Role
from mailstore.services.mailboxes import INSERT_FOLDER, folder_values

ROOT = "Mail monitoring"
"""As mail programs see it; pages show the role in the reader's language."""
_SHOWN = "is_read_only = %s, is_quota_exempt = %s"


def monitor_folder(mailbox: int, person: str) -> int:
    """The folder for the mail of `person` (an address) in a monitor's mailbox, made with the one above it when they are
    not there: read-only, outside the quota. NOT_FOUND for a mailbox that does not exist."""
    name = "".join("_" if letter in "/%*\\" else letter for letter in person)
    with transaction.atomic():
        ledger = Ledger([mailbox])
        root = _find_or_make(ledger, mailbox, ROOT, 0)
        return _find_or_make(ledger, mailbox, name, root)


def _find_or_make(ledger: Ledger, mailbox: int, name: str, parent_id: int) -> int:
    query = "SELECT id, role FROM mailstore_folder WHERE mailbox_id = %s AND parent_id = %s AND name = %s"
    found = sql.row(query, [mailbox, parent_id, name])
    if found is not None and found[1] == Role.MONITOR:
        return int(found[0])
    if found is not None:  # somebody's own folder has the name already
        return _find_or_make(ledger, mailbox, f"{name} ({Role.MONITOR})", parent_id)
    folder_id = ledger.new_id(mailbox)
    position = sql.row("SELECT count(*) FROM mailstore_folder WHERE mailbox_id = %s", [mailbox])[0]
    values = folder_values(folder_id, mailbox, name, parent_id=parent_id, role=Role.MONITOR, position=position)
    sql.run(INSERT_FOLDER, values)
    sql.run(f"UPDATE mailstore_folder SET {_SHOWN} WHERE id = %s", [True, True, folder_id])
    ledger.mailbox_modseq(mailbox)
    ledger.write()
    return folder_id


def mark_monitored(folder_ids: Sequence[int], sha256s: Sequence[bytes], verdict: int) -> int:
    """Give the copies of these bytes in these monitors' folders a verdict, in the caller's transaction; how many."""
    if not folder_ids or not sha256s:
        return 0
    query = (
        "SELECT e.id, e.mailbox_id, e.folder_id FROM mailstore_blob b JOIN mailstore_message m ON m.blob_id = b.id "
        f"JOIN mailstore_entry e ON e.message_id = m.id WHERE b.sha256 IN ({sql.marks(sha256s)}) "
        f"AND {sql.among('e.folder_id')} ORDER BY e.mailbox_id, e.id"
    )
    rows = sql.rows(query, [*sha256s, sql.numbers(folder_ids)])
    ledger = Ledger({mailbox for _, mailbox, _ in rows})
    for entry_id, _mailbox, folder_id in rows:
        modseq = ledger.modseq(ledger.folder(folder_id))
        sql.run("UPDATE mailstore_entry SET verdict = %s, modseq = %s WHERE id = %s", [verdict, modseq, entry_id])
    ledger.write()
    return len(rows)
