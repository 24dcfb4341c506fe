"""Flags: one entry, a thousand, and all of a folder, as the folder grows; every call is durable when it returns."""

from __future__ import annotations

from typing import Any

from django.db import connection

from accounts.models import Account
from bench.growth import cost, folders, summary
from bench.report import report
from core.access import Access, system_access
from mailstore import sql
from mailstore.check_store import check_store
from mailstore.models import Flag, Role
from mailstore.selectors.folders import folder_by_role
from mailstore.services.entries import Selection, set_flags

ALL_OF_THEM = {"read": Flag.SEEN, "star": Flag.FLAGGED, "answered": Flag.ANSWERED}
SOME = 1_000


def main(*, full: bool) -> None:
    """Each size in an account of its own."""
    rows: list[dict[str, Any]] = []
    for account, size in folders(full=full):
        rows += [{"entries": size, **row} for row in _measured(account, size, full=full)]
    report(f"flags-{connection.vendor}", "Flags", rows, database=connection.vendor)


def _measured(account: Account, size: int, *, full: bool) -> list[dict[str, Any]]:
    access = system_access(account.pk)
    folder_id = folder_by_role(access, Role.INBOX).id
    query = "SELECT id FROM mailstore_entry WHERE folder_id = %s ORDER BY uid"
    ids = [row[0] for row in sql.rows(query, [folder_id])]
    rows = [_one(access, ids, repeats=400 if full else 200), _some(access, ids)]
    whole = Selection(folder_id=folder_id)
    for name, flag in ALL_OF_THEM.items():
        set_flags(access, whole, remove=flag)
        rows.append(_switched(access, whole, f"{name}, all of the folder", flag, size))
    if size <= 100_000:
        rows.append(_switched(access, ids, "read, all by id", Flag.SEEN, size))
    if findings := check_store(access.mailbox):
        raise SystemExit(f"check_store: {findings[:3]}")
    return rows


def _one(access: Access, ids: list[int], repeats: int) -> dict[str, Any]:
    """Single durable changes, all over the folder."""
    picked = [ids[number * 7919 % len(ids)] for number in range(repeats)]
    costs = [cost(lambda each=each: set_flags(access, [each], add=Flag.FLAGGED)) for each in picked]  # type: ignore[misc]
    return summary("star, one", costs)


def _some(access: Access, ids: list[int]) -> dict[str, Any]:
    return _switched(access, ids[-SOME:], "star, the newest", Flag.FLAGGED, SOME)


def _switched(access: Access, chosen: Selection | list[int], name: str, flag: Flag, rows: int) -> dict[str, Any]:
    """On and off, alternately."""
    costs = []
    for _ in range(3):
        set_flags(access, chosen, remove=flag)
        costs.append(cost(lambda: set_flags(access, chosen, add=flag)))
    for _ in range(2):
        set_flags(access, chosen, add=flag)
        costs.append(cost(lambda: set_flags(access, chosen, remove=flag)))
    return summary(name, costs, rows)
