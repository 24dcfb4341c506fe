"""Opening a mail: the pane beside the list, the whole page, and the body in its frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection

from bench.report import report
from bench.site import accounts, fill
from bench.web import PAGE, PANE, Browser, in_process, serve_alone, timed, web_server
from core.access import system_access
from mailstore.models import Role
from mailstore.selectors.folders import folder_by_role
from mailstore.selectors.lists import list_page, position

SIZES = (1_000, 10_000, 100_000)


def main(*, full: bool) -> None:
    """A mail in the middle of each folder."""
    sizes = SIZES if full else SIZES[:2]
    people = accounts(len(sizes))
    repeats = 60 if full else 30
    rows: list[dict[str, Any]] = []
    asked: list[dict[str, tuple[str, Mapping[str, str]]]] = []
    for number, (account, size) in enumerate(zip(people, sizes, strict=True)):
        fill(account, size)
        client = in_process(f"user{number}")
        asked.append(_addresses(account.pk, size))
        for what, (path, headers) in asked[-1].items():
            cpu_ms, queries = timed(client, path, headers, repeats)
            rows.append({"entries": size, "what": what, "CPU ms": cpu_ms, "queries": queries})
    with web_server() as (port, pid):
        row = iter(rows)
        for number, addresses in enumerate(asked):
            browser = Browser(port)
            browser.sign_in(f"user{number}")
            for path, headers in addresses.values():
                served = serve_alone(port, pid, browser.cookies, path, headers, repeats)
                more = {"p50 ms": served.p50_ms, "server CPU ms": served.cpu_ms, "KB": served.size / 1024}
                next(row).update(more)
    report(f"open_message-{connection.vendor}", "Open a message", rows, database=connection.vendor, repeats=repeats)


def _addresses(mailbox: int, size: int) -> dict[str, tuple[str, Mapping[str, str]]]:
    access = system_access(mailbox)
    folder_id = folder_by_role(access, Role.INBOX).id
    key = position(access, folder_id, size // 100, 50)
    entry_id = list_page(access, folder_id, after=key, limit=1).rows[0].entry_id
    return {
        "pane": (f"/mail/{folder_id}/{entry_id}/", PANE),
        "page": (f"/mail/{folder_id}/{entry_id}/", PAGE),
        "body": (f"/message/{entry_id}/body", PAGE),
    }
