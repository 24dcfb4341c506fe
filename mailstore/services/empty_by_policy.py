"""已删除 and 垃圾箱 empty themselves where a domain's policy says so, and nowhere else.

How long a mail has been in the folder is known from marks: once a day the folder's UIDNEXT is noted, and what is below
the newest mark that is old enough has been there at least that long. So nothing goes before the policy has been on for
all its days, and a mail of last year that was deleted today has its days before it.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction

from core.access import Access, Via, system_access
from mailstore import sql
from mailstore.ledger import Ledger
from mailstore.models import Role
from mailstore.services.deletion_log import Deletion
from mailstore.services.purge import purge_rows
from mailstore.services.rows import load

DAY_US = 24 * 3600 * 1_000_000
POLICIES = ((Role.TRASH, "empty_trash_days"), (Role.JUNK, "empty_junk_days"))
VIA = Via("policy")


def empty_by_policy(now_us: int) -> int:
    """Purge (to recovery) what its domain wants gone; how many. In slices of 1,000; harmless to kill or to repeat."""
    gone = 0
    for role, field in POLICIES:
        for mailbox, folder_id, days in list(_folders(role, field)):
            _mark(mailbox, folder_id, now_us)
            gone += _empty(system_access(mailbox, via=VIA), folder_id, now_us - days * DAY_US)
    _forget_marks()
    return gone


def _folders(role: Role, field: str) -> Iterator[tuple[int, int, int]]:
    """(mailbox, folder, days) wherever the policy is on."""
    query = (
        f"SELECT f.mailbox_id, f.id, d.{field} FROM accounts_domain d JOIN accounts_account a ON a.domain_id = d.id "
        f"JOIN mailstore_folder f ON f.mailbox_id = a.id WHERE d.{field} IS NOT NULL AND f.role = %s ORDER BY f.id"
    )
    yield from sql.rows(query, [str(role)])


def _mark(mailbox: int, folder_id: int, now_us: int) -> None:
    """Today's mark, unless there is one."""
    with transaction.atomic():
        Ledger([mailbox])
        last = sql.row("SELECT max(at_us) FROM mailstore_foldermark WHERE folder_id = %s", [folder_id])[0]
        if last is None or last <= now_us - DAY_US:
            sql.run(
                "INSERT INTO mailstore_foldermark (mailbox_id, folder_id, at_us, uidnext) "
                "SELECT mailbox_id, id, %s, uidnext FROM mailstore_folder WHERE id = %s",
                [now_us, folder_id],
            )


def _empty(access: Access, folder_id: int, before_us: int) -> int:
    mark = sql.row(
        "SELECT uidnext, at_us FROM mailstore_foldermark WHERE folder_id = %s AND at_us <= %s ORDER BY at_us DESC LIMIT 1",
        [folder_id, before_us],
    )
    if mark is None:
        return 0
    gone = 0
    while True:
        with transaction.atomic():
            ledger = Ledger([access.mailbox])
            query = "SELECT id FROM mailstore_entry WHERE folder_id = %s AND uid < %s ORDER BY uid LIMIT %s"
            ids = [row[0] for row in sql.rows(query, [folder_id, mark[0], sql.SLICE])]
            purge_rows(ledger, access, load(ledger, access, ids), action=Deletion.POLICY)
            ledger.write()
        gone += len(ids)
        if len(ids) < sql.SLICE:
            break
    sql.run("DELETE FROM mailstore_foldermark WHERE folder_id = %s AND at_us < %s", [folder_id, mark[1]])
    return gone


def _forget_marks() -> None:
    """Where the policy is off now, it starts anew when it is switched on again."""
    on = " UNION ".join(
        f"SELECT f.id FROM mailstore_folder f JOIN accounts_account a ON a.id = f.mailbox_id "
        f"JOIN accounts_domain d ON d.id = a.domain_id WHERE f.role = '{role}' AND d.{field} IS NOT NULL"
        for role, field in POLICIES
    )
    sql.run(f"DELETE FROM mailstore_foldermark WHERE folder_id NOT IN ({on})")
