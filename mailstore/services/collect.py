"""What time takes away: purged mail after its domain's recovery days, blobs that nobody holds, old expunge records."""

from __future__ import annotations

import dataclasses

from django.db import transaction

from mailstore import sql
from mailstore.blobs import GRACE_S, collect_blobs
from mailstore.ledger import Ledger
from mailstore.services.recovery import expire_recoverable
from mailstore.services.rows import now_us

DAY_US = 24 * 3600 * 1_000_000
EXPUNGED_MAX = 10_000
"""Expunged ranges that a folder remembers; a client that was away longer learns less precisely (RFC 7162 3.2.5)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Collected:
    """How many of each went."""

    recoverable: int
    blobs: int
    expunged: int


def collect(*, grace_s: int = GRACE_S) -> Collected:
    """Run all three; short transactions, harmless to repeat or to kill."""
    recoverable = 0
    now = now_us()
    query = (
        "SELECT DISTINCT r.mailbox_id, COALESCE(d.recovery_days, 14) FROM mailstore_recoverable r "
        "LEFT JOIN accounts_account a ON a.id = r.mailbox_id LEFT JOIN accounts_domain d ON d.id = a.domain_id"
    )
    for mailbox, days in sql.rows(query):
        recoverable += expire_recoverable(mailbox, now - days * DAY_US)
    expunged = sum(
        _trim_expunged(*row)
        for row in sql.rows(
            "SELECT mailbox_id, folder_id FROM mailstore_expunged GROUP BY mailbox_id, folder_id HAVING count(*) > %s",
            [EXPUNGED_MAX],
        )
    )
    return Collected(recoverable, collect_blobs(grace_s), expunged)


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
