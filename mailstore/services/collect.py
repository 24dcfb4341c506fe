"""What time takes away: purged mail after its domain's recovery days, 已删除 and 垃圾箱 where a domain says so, what is old
in the mailboxes of system accounts, what upper layers keep for a time (quarantine), orders of lists that nobody uses,
blobs that nobody holds, old expunge records.

Everything goes in slices of one short transaction each, claimed by a row lock, so it may be killed at any point, run
twice at once, or be repeated.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from django.db import transaction

from mailstore import entry_changes, sql
from mailstore.blobs import GRACE_S, collect_blobs
from mailstore.ledger import Ledger
from mailstore.services.empty_by_policy import empty_by_policy
from mailstore.services.empty_system import empty_system
from mailstore.services.orders import drop_orders
from mailstore.services.recovery import expire_recoverable
from mailstore.services.rows import now_us

DAY_US = 24 * 3600 * 1_000_000
EXPUNGED_MAX = 10_000
"""Expunged ranges that a folder remembers; a client that was away longer learns less precisely (RFC 7162 3.2.5)."""
CHANGES_MAX = 10_000
"""Logged changes of a folder; who was away longer is compared with the whole folder."""

Expire = Callable[[int], int]
"""Takes the time (µs), deletes at most one slice of what is over in one short transaction, answers how many; 0 ends."""

RETENTION_STEPS: dict[str, Expire] = {}


def register_retention_step(name: str, expire: Expire) -> None:
    """An upper layer's own things with an end (quarantine, transfer files); called until it answers 0."""
    RETENTION_STEPS[name] = expire


@dataclasses.dataclass(frozen=True, slots=True)
class Collected:
    """How many of each went."""

    recoverable: int
    emptied: int
    others: int
    blobs: int
    expunged: int


def collect(*, grace_s: int = GRACE_S) -> Collected:
    """Run all of it, blobs last."""
    now = now_us()
    recoverable = sum(expire_recoverable(mailbox, now - days * DAY_US) for mailbox, days in _recovery_days())
    emptied = empty_by_policy(now) + empty_system(now)
    others = sum(_until_done(expire, now) for expire in RETENTION_STEPS.values())
    _until_done(drop_orders, now)
    for mailbox, folder_id in _long("entrychange", CHANGES_MAX):
        with transaction.atomic():
            Ledger([mailbox])
            entry_changes.trim(folder_id, CHANGES_MAX)
    expunged = sum(_trim_expunged(*row) for row in _long("expunged", EXPUNGED_MAX))
    return Collected(recoverable, emptied, others, collect_blobs(grace_s), expunged)


def _long(table: str, most: int) -> list[tuple[int, int]]:
    """(mailbox, folder) of those with more rows than that."""
    query = f"SELECT mailbox_id, folder_id FROM mailstore_{table} GROUP BY mailbox_id, folder_id HAVING count(*) > %s"
    return sql.rows(query, [most])


def _recovery_days() -> list[tuple[int, int]]:
    """Each mailbox that has something to recover, with its domain's days."""
    return sql.rows(
        "SELECT DISTINCT r.mailbox_id, COALESCE(d.recovery_days, 14) FROM mailstore_recoverable r "
        "LEFT JOIN accounts_account a ON a.id = r.mailbox_id LEFT JOIN accounts_domain d ON d.id = a.domain_id"
    )


def _until_done(expire: Expire, now: int) -> int:
    total = 0
    while gone := expire(now):
        total += gone
    return total


def _trim_expunged(mailbox: int, folder_id: int) -> int:
    """Forget the oldest ranges and say so by the folder's floor."""
    with transaction.atomic():
        Ledger([mailbox])
        floor = sql.row(
            "SELECT modseq FROM mailstore_expunged WHERE folder_id = %s ORDER BY modseq DESC LIMIT 1 OFFSET %s",
            [folder_id, EXPUNGED_MAX],
        )
        if floor is None:
            return 0
        sql.run(
            "UPDATE mailstore_folder SET expunge_floor = %s WHERE id = %s AND expunge_floor < %s",
            [floor[0], folder_id, floor[0]],
        )
        return sql.run("DELETE FROM mailstore_expunged WHERE folder_id = %s AND modseq <= %s", [folder_id, floor[0]])
