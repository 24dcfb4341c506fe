"""What a page of a list costs the store, without the web: any depth, every filter, every order, as the folder grows."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from django.db import connection

from accounts.models import Account
from bench.growth import folders
from bench.report import report
from core.access import Access, system_access
from mailstore import sql
from mailstore.models import Role
from mailstore.selectors.folders import folder_by_role, open_folder
from mailstore.selectors.lists import By, Filter, Sort, list_page, position
from mailstore.services.entries import Selection
from mailstore.services.keywords import create_label, set_keywords
from mailstore.services.orders import fill_orders, use_orders
from mailstore.services.todos import mark_todo

PAGE_ROWS = 50
RARE, COMMON = 300, 3
"""One of so many entries carries the label."""


def main(*, full: bool) -> None:
    """Each size in an account of its own."""
    rows: list[dict[str, Any]] = []
    for account, size in folders(full=full):
        rows += [{"entries": size, **row} for row in _measured(account, size, 60 if full else 30)]
    report(f"queries-{connection.vendor}", "A page of 50 rows from the store", rows, database=connection.vendor)


def _measured(account: Account, size: int, repeats: int) -> list[dict[str, Any]]:
    access = system_access(account.pk)
    folder_id = folder_by_role(access, Role.INBOX).id
    rare, common = (_labelled(account, folder_id, each) for each in (RARE, COMMON))
    pages = -(-size // PAGE_ROWS)
    middle = position(access, folder_id, max(2, pages // 2), PAGE_ROWS)
    sender, at = sql.row(
        "SELECT m.sender_address, e.sort_us FROM mailstore_entry e JOIN mailstore_message m ON m.id = e.message_id "
        "WHERE e.folder_id = %s ORDER BY e.uid LIMIT 1",
        [folder_id],
    )
    filters = {
        "unread": Filter(unread=True),
        "starred": Filter(starred=True),
        "attachment (none)": Filter(attachment=True),
        "label on 1 of 300": Filter(label=rare),
        "label on 1 of 3": Filter(label=common),
        "sender": Filter(sender=sender),
        "to-do": Filter(todo=True),
        "from a date on": Filter(since_us=at, until_us=at + 86_400_000_000),
        "unread, starred": Filter(unread=True, starred=True),
        "unread, label on 1 of 3": Filter(unread=True, label=common),
        "sender, starred": Filter(sender=sender, starred=True),
        "label, label's date": Filter(label=rare, since_us=at, until_us=at + 86_400_000_000),
    }
    calls: dict[str, Callable[[], object]] = {
        "head": lambda: list_page(access, folder_id),
        "middle, by key": lambda: list_page(access, folder_id, after=middle),
        "end, by its number": lambda: list_page(
            access, folder_id, after=position(access, folder_id, pages, PAGE_ROWS) if pages > 1 else None
        ),
    }
    for name, each in filters.items():
        calls[name] = lambda each=each: list_page(access, folder_id, filter=each)  # type: ignore[misc]
    unkept = lambda: list_page(access, folder_id, sort=Sort(By.SUBJECT))  # noqa: E731 - as the others
    rows = [_timed("by subject, the first time", unkept, 5)]
    _keep_orders(access, folder_id, sender)
    for by in (By.SENDER, By.SUBJECT, By.SIZE):
        calls[f"by {by.name.lower()}"] = lambda by=by: list_page(access, folder_id, sort=Sort(by))  # type: ignore[misc]
    return [*(_timed(name, call, repeats) for name, call in calls.items()), *rows]


def _keep_orders(access: Access, folder_id: int, sender: str) -> None:
    """As after the first use of each; a small folder keeps none."""
    place = open_folder(access, folder_id)
    for by in (By.SENDER, By.SUBJECT, By.SIZE):
        use_orders(access, place, Filter(sender=sender), Sort(by))
    fill_orders(folder_id)


def _labelled(account: Account, folder_id: int, every: int) -> int:
    """A label on some of the entries; the first of them are to-do marks too when they are few."""
    access = system_access(account.pk)
    label = create_label(access, f"one of {every}").id
    query = "SELECT id FROM mailstore_entry WHERE folder_id = %s ORDER BY uid"
    ids = [row[0] for row in sql.rows(query, [folder_id])][::every]
    for part in sql.slices(ids, 50_000):
        set_keywords(access, Selection(part), add=[label])
    if every == RARE:
        mark_todo(access, ids[:20])
    return label


def _timed(name: str, call: Callable[[], object], repeats: int) -> dict[str, Any]:
    call()
    waits, cpu = [], time.process_time()
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        waits.append(time.perf_counter() - started)
    return {
        "page": name,
        "p50 ms": statistics.median(waits) * 1e3,
        "best ms": min(waits) * 1e3,
        "CPU ms": (time.process_time() - cpu) / repeats * 1e3,
    }
