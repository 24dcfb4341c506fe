"""A list page of 50 rows at the head, the middle and the end of a folder, and how it grows with the folder."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.test import Client

from accounts.models import Account
from bench.report import report
from bench.site import accounts, fill
from bench.web import LIST, PAGE, Browser, in_process, requests_per_s, serve_alone, timed, web_server
from core.access import system_access
from mailstore.models import Role
from mailstore.selectors.folders import folder_by_role
from mailstore.selectors.lists import position

SIZES = (1_000, 10_000, 100_000)
PAGE_ROWS = 50
AT_A_TIME = 4


def main(*, full: bool) -> None:
    """Fill, measure in-process and through granian."""
    sizes = SIZES if full else SIZES[:2]
    people = accounts(len(sizes))
    repeats = 60 if full else 30
    rows: list[dict[str, Any]] = []
    for number, (account, size) in enumerate(zip(people, sizes, strict=True)):
        started = time.perf_counter()
        fill(account, size)
        print(f"filled {size:,} in {time.perf_counter() - started:.1f} s", flush=True)
        client = in_process(f"user{number}")
        rows += [_in_process(client, size, where, path, repeats) for where, path in _places(account, size).items()]
    with web_server() as (port, pid):
        for number, (account, size) in enumerate(zip(people, sizes, strict=True)):
            browser = Browser(port)
            browser.sign_in(f"user{number}")
            for where, path in _places(account, size).items():
                row = next(row for row in rows if (row["entries"], row["where"]) == (size, where))
                row |= _served(port, pid, browser.cookies, path, repeats)
    report(f"list_page-{connection.vendor}", "List page of 50 rows", rows, database=connection.vendor, repeats=repeats)


def _places(account: Account, size: int) -> dict[str, str]:
    """Addresses: the first page, the middle by the pager's key, the end by a jump to its number."""
    access = system_access(account.pk)
    folder_id = folder_by_role(access, Role.INBOX).id
    pages = -(-size // PAGE_ROWS)
    middle = position(access, folder_id, pages // 2, PAGE_ROWS)
    address = f"/mail/{folder_id}/"
    return {
        "head": address,
        "middle": f"{address}?after={middle}&page={pages // 2}",
        "end": f"{address}?page={pages}",
        "unread": f"{address}?show=unread",
    }


def _in_process(client: Client, size: int, where: str, path: str, repeats: int) -> dict[str, Any]:
    row: dict[str, Any] = {"entries": size, "where": where}
    kinds: dict[str, Mapping[str, str]] = {"page": PAGE, "list": LIST}
    for name, headers in kinds.items():
        row[f"{name} CPU ms"], row[f"{name} queries"] = timed(client, path, headers, repeats)
    return row


def _served(port: int, pid: int, cookies: dict[str, str], path: str, repeats: int) -> dict[str, Any]:
    page = serve_alone(port, pid, cookies, path, PAGE, repeats)
    part = serve_alone(port, pid, cookies, path, LIST, repeats)
    rate = requests_per_s(port, cookies, path, LIST, at_a_time=AT_A_TIME, n=repeats * 5)
    return {
        "page p50 ms": page.p50_ms,
        "server CPU ms": page.cpu_ms,
        "page KB": page.size / 1024,
        "list p50 ms": part.p50_ms,
        "list server CPU ms": part.cpu_ms,
        "list KB": part.size / 1024,
        f"list/s, {AT_A_TIME} at a time": rate,
    }
