"""The mailbox of a domain's system account empties itself: reports about what the domain's lists and notices could not
deliver come there, nobody tidies it up, and once it is full they are refused with 452.

What came KEPT_DAYS ago goes, then the oldest until no more than FILLED of the quota is left. It goes by way of the
recovery, in slices, each a transaction of its own that looks again, so a run may be killed anywhere. Mailboxes of people
and shared ones are never touched: which account is a system's is decided when it is made and cannot be changed.
"""

from __future__ import annotations

from django.db import transaction

from accounts.models import Account
from core.access import Access, Via, system_access
from mailstore import sql
from mailstore.fields import MAX_COUNTER, pack
from mailstore.ledger import Ledger
from mailstore.services.deletion_log import Deletion
from mailstore.services.purge import purge_rows
from mailstore.services.rows import load

KEPT_DAYS = 90
"""As long as the log of deliveries tells of what a report is about."""
FILLED = 0.8
DAY_US = 24 * 3600 * 1_000_000
VIA = Via("policy")


def empty_system(now_us: int) -> int:
    """Purge what is too old or too much in the mailboxes of all system accounts; how many mails."""
    gone = 0
    for mailbox, quota_bytes in _mailboxes():
        access = system_access(mailbox, via=VIA)
        for part in (_old, _surplus):
            while purged := part(access, now_us - KEPT_DAYS * DAY_US, int(quota_bytes * FILLED)):
                gone += purged
    return gone


def _mailboxes() -> list[tuple[int, int]]:
    """Each with its quota in bytes."""
    query = (
        "SELECT m.id, a.quota_bytes FROM mailstore_mailbox m JOIN accounts_account a ON a.id = m.id WHERE a.kind = %s "
        "ORDER BY m.id"
    )
    return sql.rows(query, [Account.Kind.SYSTEM.value])


def _old(access: Access, before_us: int, _most_bytes: int) -> int:
    """Purge what came before among the first entries: ids rise as mail comes, wherever it lies now, so nothing behind them
    is looked at while they are young."""
    first = f"SELECT id, internal_us FROM mailstore_entry WHERE id BETWEEN %s AND %s ORDER BY id LIMIT {sql.SLICE}"
    query = f"SELECT id FROM ({first}) AS first WHERE internal_us < %s ORDER BY id"
    with transaction.atomic():
        ledger = Ledger([access.mailbox])
        ids = [row[0] for row in sql.rows(query, [*_own(access), before_us])]
        return _purge(ledger, access, ids)


def _surplus(access: Access, _before_us: int, most_bytes: int) -> int:
    """Purge a slice of the oldest while there is more than that."""
    query = f"SELECT id, size FROM mailstore_entry WHERE id BETWEEN %s AND %s ORDER BY id LIMIT {sql.SLICE}"
    with transaction.atomic():
        ledger = Ledger([access.mailbox])
        left = ledger.mailboxes[access.mailbox].used_bytes - most_bytes
        ids = []
        for entry_id, size in sql.rows(query, _own(access)) if left > 0 else ():
            if left <= 0:
                break
            ids.append(entry_id)
            left -= size
        return _purge(ledger, access, ids)


def _own(access: Access) -> list[int]:
    """The first and the last id that a mailbox's entries can have."""
    return [pack(access.mailbox, 0), pack(access.mailbox, MAX_COUNTER)]


def _purge(ledger: Ledger, access: Access, ids: list[int]) -> int:
    purge_rows(ledger, access, load(ledger, access, ids), action=Deletion.POLICY)
    ledger.write()
    return len(ids)
