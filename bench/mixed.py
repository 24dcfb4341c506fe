"""Everything at once on one database: readers of pages, a stream of deliveries, writers of flags.

20 browsers read lists and pages with a pause between two, one SMTP connection delivers without a pause, four writers
change single flags through the store's service, each in a process of its own. Nothing may fail; the waits and the
size of the WAL are what is looked at.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from bench.processes import cpu_s, running
from bench.report import report
from bench.site import DOMAIN, accounts, environment, fill, manage, redis
from bench.web import LIST, PAGE, Browser, static_files, web_server
from core.access import system_access
from core.ports import free_port
from mailstore.check_store import check_store
from mailstore.models import Role
from mailstore.selectors.folders import folder_by_role

READERS = 20
READER_PAUSE_S = 0.5
FLAG_WRITERS = 4
FLAG_PAUSE_S = 0.02


def main(*, full: bool) -> None:
    """One run of a minute."""
    seconds, entries = (60, 100_000) if full else (20, 10_000)
    people = accounts(1)
    static_files()
    fill(people[0], entries)
    folder_id = folder_by_role(system_access(people[0].pk), Role.INBOX).id
    ports = [free_port() for _ in range(3)]
    names = dict(zip(("MX_PORT", "SUBMISSION_PORT", "SUBMISSIONS_PORT"), ports, strict=True))
    smtpd = running(manage("smtpd"), port=ports[0], environment=environment(**names))
    with redis(), web_server() as (web_port, web_pid), smtpd as smtp_pid:
        cpu = cpu_s(web_pid), cpu_s(smtp_pid)
        waits, told, wal = _together(web_port, ports[0], people[0].pk, folder_id, seconds)
        used = cpu_s(web_pid) - cpu[0], cpu_s(smtp_pid) - cpu[1]
    if findings := check_store():
        raise SystemExit(f"check_store: {findings[:3]}")
    rows = [
        _row("page or list", waits, seconds, used[0]),
        _row("flag, one", told["flags"], seconds, 0.0),
        _row("mail delivered", told["mails"], seconds, used[1]),
    ]
    facts = {"database": connection.vendor, "entries": entries, "seconds": seconds, "failures": told["failures"]}
    report(f"mixed-{connection.vendor}", "Readers, deliveries and flags together", rows, **facts, wal_mb=round(wal, 1))


def _row(name: str, waits: list[float], seconds: float, cpu: float) -> dict[str, Any]:
    found = sorted(waits)
    at = {f"p{part} ms": found[min(len(found) - 1, len(found) * part // 100)] * 1e3 for part in (50, 95, 99)}
    row = {"operation": name, "count": len(found), "per s": len(found) / seconds, **at, "max ms": found[-1] * 1e3}
    return row | ({"server CPU ms": cpu / len(found) * 1e3} if cpu else {})


def _together(
    web_port: int, mx_port: int, mailbox: int, folder_id: int, seconds: float
) -> tuple[list[float], dict[str, Any], float]:
    """The readers' waits, what the other processes told, and the largest WAL (MB)."""
    browser = Browser(web_port)
    browser.sign_in("user0")
    until = time.monotonic() + seconds
    waits: list[float] = []
    path = f"/mail/{folder_id}/"
    threads = [
        threading.Thread(target=_read, args=(web_port, browser.cookies, path, until, waits)) for _ in range(READERS)
    ]
    with contextlib.ExitStack() as stack:
        deliveries = stack.enter_context(_delivering(mx_port))
        writers = [_flag_writer(mailbox, number, seconds) for number in range(FLAG_WRITERS)]
        for thread in threads:
            thread.start()
        wal = _largest_wal(until)
        for thread in threads:
            thread.join()
        told = [json.loads(writer.communicate(timeout=60)[0]) for writer in writers]
    if len(waits) == 0 or any(writer.returncode for writer in writers):
        raise SystemExit("a reader or a writer failed")
    flags = [wait for each in told for wait in each["waits"]]
    return waits, {"flags": flags, "mails": deliveries, "failures": sum(each["failures"] for each in told)}, wal


def _read(port: int, cookies: dict[str, str], path: str, until: float, waits: list[float]) -> None:
    """A reader; a browser's `get` ends the program for anything but 200."""
    browser, chance = Browser(port, dict(cookies)), random.Random(id(threading.current_thread()))
    while time.monotonic() < until:
        time.sleep(chance.uniform(0, 2 * READER_PAUSE_S))
        started = time.perf_counter()
        browser.get(path, chance.choice([PAGE, LIST, LIST]))
        waits.append(time.perf_counter() - started)


@contextlib.contextmanager
def _delivering(port: int) -> Iterator[list[float]]:
    """A list that fills with the waits of a client that sends until the end."""
    command = [sys.executable, "-m", "bench.deliveries", str(port), DOMAIN]
    client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    waits: list[float] = []
    try:
        yield waits
    finally:
        output, _ = client.communicate("stop\n", timeout=60)
        waits += json.loads(output)["waits"]


def _flag_writer(mailbox: int, number: int, seconds: float) -> subprocess.Popen[str]:
    arguments = [str(each) for each in (mailbox, number, seconds, FLAG_PAUSE_S)]
    command = [sys.executable, "-m", "bench.flag_writer", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment())


def _largest_wal(until: float) -> float:
    if connection.vendor != "sqlite":
        time.sleep(max(0.0, until - time.monotonic()))
        return 0.0
    largest, wal = 0, Path(f"{settings.DATABASES['default']['NAME']}-wal")
    while time.monotonic() < until:
        largest = max(largest, wal.stat().st_size if wal.exists() else 0)
        time.sleep(0.2)
    return largest / 1e6
