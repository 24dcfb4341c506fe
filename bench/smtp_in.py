"""SMTP to mailbox: mails of 8 KB into a real smtpd process; 250s and rows are both counted.

Once from a trusted network, and once from a stranger whose every mail is signed: SPF, DKIM, DMARC and our own scorer.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.db import connection

from bench import signed
from bench.processes import cpu_s, machine_cpu_s, others_cores, running
from bench.report import report
from bench.site import DOMAIN, accounts, environment, manage, redis
from core.ports import free_port
from mailstore.models import Entry

USERS = 10
JUDGED = "judged, signed by rsa2048"


def main(*, full: bool) -> None:
    """10 connections and 1, several rounds each; medians."""
    accounts(USERS)
    rounds, count = (5, 3_000) if full else (3, 1_000)
    rows: list[dict[str, Any]] = []
    with redis(), trusted() as server:
        for connections in (10, 1):
            rows.append(_rounds(server, "trusted", connections, rounds, count))
    with redis(), judged() as server:
        rows.append(_rounds(server, JUDGED, 10, rounds, count))
    report(f"smtp_in-{connection.vendor}", "SMTP to mailbox", rows, database=connection.vendor, rounds=rounds)


@dataclasses.dataclass(frozen=True)
class Smtpd:
    """A running server; with a `key` its mails are a stranger's, signed, and judged."""

    port: int
    pid: int
    key: Path | None = None

    def round(self, connections: int, count: int, *, first: int) -> dict[str, Any]:
        """So many mails; those answered 250 and those in mailboxes must be equal."""
        before = Entry.objects.count()
        found = send(self.port, [self.pid], connections, count, first=first, key=self.key)
        found["visible"] = Entry.objects.count() - before
        if found["visible"] != found["accepted"]:
            raise SystemExit(f"{found['accepted']} were answered 250, {found['visible']} lie in mailboxes")
        return found


@contextlib.contextmanager
def trusted() -> Iterator[Smtpd]:
    """A server for which we are a trusted network, warm: modules, connections, caches."""
    with _started(manage("smtpd"), None) as server:
        yield server


@contextlib.contextmanager
def judged() -> Iterator[Smtpd]:
    """A server for which we are a stranger."""
    key = Path(os.environ["DATA_DIR"]) / "bench-key.pem"
    signed.make_key(key)
    with _started([sys.executable, "-m", "bench.signed", str(key)], key, **signed.ENVIRONMENT) as server:
        yield server


@contextlib.contextmanager
def _started(command: Sequence[str], key: Path | None, **settings: str) -> Iterator[Smtpd]:
    ports = [free_port() for _ in range(3)]
    names = dict(zip(("MX_PORT", "SUBMISSION_PORT", "SUBMISSIONS_PORT"), ports, strict=True))
    with running(command, port=ports[0], environment=environment(**names, **settings)) as pid:
        send(ports[0], [pid], 4, 200, first=10**9, key=key)
        yield Smtpd(ports[0], pid, key)


numbers = itertools.count(1)
"""Each round has a million mails of its own."""


def _rounds(server: Smtpd, what: str, connections: int, rounds: int, count: int) -> dict[str, Any]:
    found = [server.round(connections, count, first=next(numbers) * 10**6) for _ in range(rounds)]
    return {"mails are": what} | median(found, connections, count)


def send(
    port: int,
    pids: Sequence[int],
    connections: int,
    count: int,
    *,
    first: int,
    key: Path | None = None,
    until: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """One round of the client against the process trees of `pids`; it is over when `until` returns."""
    machine, cpu = machine_cpu_s(), sum(map(cpu_s, pids))
    arguments = [str(each) for each in (port, connections, count, DOMAIN, USERS, first, *([key] if key else []))]
    command = [sys.executable, "-m", "bench.smtp_client", *arguments]
    output = subprocess.run(command, check=True, capture_output=True).stdout
    found: dict[str, Any] = json.loads(output)
    ended = time.time()
    until()
    found["seconds"] += time.time() - ended
    found["cpu_us"] = (sum(map(cpu_s, pids)) - cpu) / count * 1e6
    found["others"] = others_cores(found["seconds"], found["cpu_us"] * count / 1e6 + found["client_cpu_s"], machine)
    return found


def median(found: list[dict[str, Any]], connections: int, count: int) -> dict[str, Any]:
    """The row of the table."""

    def middle(name: str) -> float:
        return statistics.median(each[name] for each in found)

    return {
        "connections": connections,
        "mails": count,
        "250": min(each["accepted"] for each in found),
        "visible": min(each["visible"] for each in found),
        "mails/s": count / middle("seconds"),
        "best/s": count / min(each["seconds"] for each in found),
        "server CPU µs": middle("cpu_us"),
        "p50 ms": middle("p50_ms"),
        "p99 ms": middle("p99_ms"),
        "others' cores": middle("others"),
    }
