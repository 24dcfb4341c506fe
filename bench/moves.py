"""Moving, copying, expunging into the recovery and coming back: the newest 10,000 of folders that grow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection

from accounts.models import Account
from bench.growth import Cost, cost, folders, summary
from bench.report import report
from core.access import Access, system_access
from mailstore import sql
from mailstore.check_store import check_store
from mailstore.models import Role
from mailstore.selectors.folders import folder_by_role
from mailstore.services.entries import copy, move, purge, recover
from mailstore.services.folders import create_folder

MOST = 10_000
ROUNDS = 3
Action = Callable[[list[int]], object]


def main(*, full: bool) -> None:
    """Each size in an account of its own."""
    rows: list[dict[str, Any]] = []
    for account, size in folders(full=full):
        rows += [{"entries": size, **row} for row in _measured(account, min(size, MOST))]
    report(f"moves-{connection.vendor}", "Moving", rows, database=connection.vendor, rounds=ROUNDS)


def _measured(account: Account, count: int) -> list[dict[str, Any]]:
    access = system_access(account.pk)
    inbox = folder_by_role(access, Role.INBOX).id
    there, copies = (create_folder(access, name) for name in ("there", "copies"))
    query = "SELECT id FROM mailstore_entry WHERE folder_id = %s ORDER BY uid DESC LIMIT %s"
    ids = [row[0] for row in sql.rows(query, [inbox, count])][::-1]
    rows = [*_steps(access, ids, inbox, there, copies, repeats=ROUNDS)]
    rows += _steps(access, ids[:1], inbox, there, copies, repeats=100)
    if findings := check_store(access.mailbox):
        raise SystemExit(f"check_store: {findings[:3]}")
    return rows


def _steps(access: Access, ids: list[int], inbox: int, there: int, copies: int, repeats: int) -> list[dict[str, Any]]:
    """The same entries go round: away, copied, the copies expunged (their messages live on), expunged, recovered."""
    found: dict[str, list[Cost]] = {}
    for _ in range(repeats):
        made: list[int] = []
        actions: dict[str, tuple[Action, list[int]]] = {
            "move": (lambda chosen: move(access, chosen, folder_id=there), ids),
            "copy": (lambda chosen: made.extend(copy(access, chosen, folder_id=copies)), ids),  # noqa: B023
            "expunge copies": (lambda chosen: purge(access, chosen), made),
            "expunge into recovery": (lambda chosen: purge(access, chosen), ids),
            "recover": (lambda chosen: recover(access, chosen, folder_id=inbox), ids),
        }
        for name, (action, chosen) in actions.items():
            found.setdefault(name, []).append(cost(lambda: action(chosen)))  # noqa: B023
    return [summary(name, costs, len(ids)) for name, costs in found.items()]
