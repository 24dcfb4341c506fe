"""What the tree of folders counts beside the folders: mail that waits to leave, and mail that was put aside."""

from __future__ import annotations

from typing import NamedTuple

from mailstore.selectors.side import Side, register_count
from mta.models import OPEN, QuarantinedMail

COUNT_MAX = 999
"""The tree shows no larger number; a flood must not make every page slow."""


class PutBy(NamedTuple):
    """Mails in 待发送 and in 隔离区, each up to COUNT_MAX."""

    waiting: int
    held: int


def put_by(side: Side) -> PutBy:
    """Of the mailbox that `side` is of."""
    return PutBy(side.counts["waiting"], side.counts["held"])


def register_counts() -> None:
    """Both go along an index: `delivery_open`, `quarantine_account`."""
    states = ", ".join(f"'{state}'" for state in OPEN)
    register_count(
        "waiting",
        "SELECT COUNT(*) FROM (SELECT DISTINCT submission_id FROM mta_delivery WHERE mailbox_id = %s "
        f"AND state IN ({states}) LIMIT {COUNT_MAX}) AS waiting",
    )
    register_count(
        "held",
        "SELECT COUNT(*) FROM (SELECT 1 AS one FROM mta_quarantinedmail WHERE account_id = %s "
        f"AND state = '{QuarantinedMail.State.HELD}' AND expires_at > CURRENT_TIMESTAMP LIMIT {COUNT_MAX}) AS held",
    )
