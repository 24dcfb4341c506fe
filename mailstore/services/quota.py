"""The mailbox's quota: what people put in is refused beyond it. Delivery asks before it accepts (mta)."""

from __future__ import annotations

from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.ledger import Ledger


def quota_bytes(mailbox: int) -> int:
    """The limit of the account that owns the mailbox."""
    row = sql.row("SELECT quota_bytes FROM accounts_account WHERE id = %s", [mailbox])
    return int(row[0]) if row else 0


def require_room(ledger: Ledger, mailbox: int, size: int) -> None:
    """Raise OVER_QUOTA (used, quota; bytes) unless `size` more bytes fit."""
    used, quota = ledger.mailboxes[mailbox].used_bytes, quota_bytes(mailbox)
    if used + size > quota:
        raise MailError(ErrorKind.OVER_QUOTA, used=used, quota=quota)
