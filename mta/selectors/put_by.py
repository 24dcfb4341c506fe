"""What the tree of folders counts beside the folders: mail that waits to leave, and mail that was put aside."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from core.access import Access, Right
from mailstore import sql
from mta.models import OPEN, QuarantinedMail

COUNT_MAX = 999
"""The tree shows no larger number; a flood must not make every page slow."""
_STATES = ", ".join(f"'{state}'" for state in OPEN)
_QUERY = (
    "SELECT (SELECT count(*) FROM (SELECT DISTINCT submission_id FROM mta_delivery WHERE mailbox_id = %s "
    f"AND state IN ({_STATES}) LIMIT {COUNT_MAX}) AS waiting), "
    "(SELECT count(*) FROM (SELECT 1 AS one FROM mta_quarantinedmail WHERE account_id = %s AND state = %s "
    f"AND expires_at > %s LIMIT {COUNT_MAX}) AS held)"
)


class PutBy(NamedTuple):
    """Mails in 待发送 and in 隔离区, each up to COUNT_MAX."""

    waiting: int
    held: int


def put_by(access: Access) -> PutBy:
    """Of `access.mailbox`. One query along `delivery_open` and `quarantine_account`."""
    access.require(Right.READ)
    held, now = QuarantinedMail.State.HELD, connection.ops.adapt_datetimefield_value(timezone.now())
    return PutBy(*sql.row(_QUERY, [access.mailbox, access.mailbox, held, now]))
