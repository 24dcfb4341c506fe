"""One session for a maildrop (RFC 1939 4), on all machines: a row with a lease, renewed while the session lives.

A process that is killed keeps a maildrop shut for LEASE_S at most.
"""

from __future__ import annotations

import secrets
import time

from mailaccess.models import MaildropLock
from mailstore import sql

TABLE = MaildropLock._meta.db_table
TAKE = (
    sql.insert(TABLE, "account_id, token, until_s") + " ON CONFLICT (account_id) DO UPDATE SET token = excluded.token, "
    f"until_s = excluded.until_s WHERE {TABLE}.until_s < %s"
)
RENEW = f"UPDATE {TABLE} SET until_s = %s WHERE account_id = %s AND token = %s"
GIVE_BACK = f"UPDATE {TABLE} SET token = '', until_s = 0 WHERE account_id = %s AND token = %s"
LEASE_S = 60
RENEW_S = 20.0


def take(account_id: int) -> str | None:
    """A token for the maildrop, None while another session has it."""
    token, now = secrets.token_hex(16), int(time.time())
    return token if sql.run(TAKE, [account_id, token, now + LEASE_S, now]) else None


def renew(account_id: int, token: str) -> bool:
    """Keep it; False when it was lost."""
    return bool(sql.run(RENEW, [int(time.time()) + LEASE_S, account_id, token]))


def give_back(account_id: int, token: str) -> None:
    """Let others in."""
    sql.run(GIVE_BACK, [account_id, token])
