"""IMAP and POP3 as mail programs use them, beside Dovecot on the same machine where it can be started."""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

from django.db import connection

from bench import dovecot, imap_active, imap_idle
from bench.imap_tasks import TASKS, Target, clocked
from bench.processes import cpu_s, running
from bench.report import report
from bench.site import PASSWORD, accounts, environment, fill, manage, redis
from core.ports import free_port
from mailaccess.models import PopSettings

USERS = 21
ACTIVE = 100
PORTS = (
    "IMAP_PORT", "IMAPS_PORT", "POP3_PORT", "POP3S_PORT", "MX_PORT", "SUBMISSION_PORT", "SUBMISSIONS_PORT",
)  # fmt: skip


def main(*, full: bool) -> None:
    """Every task in turn, best of several rounds; Dovecot's the same."""
    people = accounts(USERS)
    count, rounds = (100_000, 3) if full else (10_000, 3)
    fill(people[0], count)
    PopSettings.objects.create(account=people[0], window="all")
    connection.close()
    ports = {name: free_port() for name in PORTS}
    names = environment(CLEARTEXT_LOGIN=1, **ports)
    with (
        redis(),
        running(manage("imapd"), port=ports["IMAP_PORT"], environment=names) as imapd,
        running(manage("pop3d"), port=ports["POP3_PORT"], environment=names) as pop3d,
    ):
        others = tuple(each.address for each in people[1:])
        target = Target(ports["IMAP_PORT"], ports["POP3_PORT"], people[0].address, PASSWORD, others)
        first = _first_select(target)
        found = {"ours": _measured(target, rounds, [imapd, pop3d])}
    _waiting(ports, names, target, 1_000 if full else 300)
    found |= _anchors(count, rounds)
    rows = [_row(name, found) for name in TASKS]
    rows.insert(0, {"task": "SELECT, fresh process", "ours": f"{first * 1e3:.1f} ms"})
    report(f"imap-{connection.vendor}", f"IMAP and POP3, folder of {count:,}", rows, database=connection.vendor)


def _waiting(ports: dict[str, int], names: dict[str, str], target: Target, count: int) -> None:
    """Idle connections in processes of their own, so that nothing was allocated before."""
    rows = []
    for tls in (False, True):
        with redis(), running(manage("imapd"), port=ports["IMAP_PORT"], environment=names) as imapd:
            port = ports["IMAPS_PORT" if tls else "IMAP_PORT"]
            found = imap_idle.memory(imapd, port, target.others, target.password, tls=tls, count=count)
            rows.append({"waiting": f"{count} connections, {'TLS' if tls else 'in the clear'}", **found})
    with redis(), running(manage("imapd"), port=ports["IMAP_PORT"], environment=names) as imapd:
        found = imap_active.active(imapd, ports["IMAP_PORT"], [target.name], target.password, count=ACTIVE)
        rows.append({"waiting": f"{ACTIVE} connections at work", **found})
    with (
        redis(),
        running(manage("imapd"), port=ports["IMAP_PORT"], environment=names),
        running(manage("smtpd"), port=ports["MX_PORT"], environment=names),
    ):
        found = imap_idle.latency(ports["IMAP_PORT"], ports["MX_PORT"], target.others[0], target.password)
        rows.append({"waiting": "from the final dot to EXISTS", **found})
    report(f"imap_idle-{connection.vendor}", "IMAP connections in IDLE", rows, database=connection.vendor)


def _first_select(target: Target) -> float:
    client = target.open()
    seconds = clocked(client.select)
    client.close()
    return seconds


def _measured(target: Target, rounds: int, pids: list[int]) -> dict[str, dict[str, Any]]:
    found = {}
    for name, task in TASKS.items():
        cpu = sum(map(cpu_s, pids))
        print(f"{name} …", flush=True)
        runs = [task(target) for _ in range(rounds)]
        found[name] = {
            "seconds": min(seconds for seconds, _ in runs),
            "median": statistics.median(seconds for seconds, _ in runs),
            "count": runs[0][1],
            "cpu": (sum(map(cpu_s, pids)) - cpu) / rounds,
        }
    return found


def _anchors(count: int, rounds: int) -> dict[str, dict[str, dict[str, Any]]]:
    if not dovecot.is_here():
        print(f"== Dovecot: skipped; as root on Debian: apt-get install {dovecot.PACKAGES}", flush=True)
        return {}
    found = {}
    for kind in dovecot.LOCATIONS:
        with dovecot.running(Path(os.environ["DATA_DIR"]) / kind, kind, count) as (target, master):
            found[kind] = _measured(target, rounds, [master])
    return found


def _row(name: str, found: dict[str, dict[str, dict[str, Any]]]) -> dict[str, Any]:
    ours = found["ours"][name]
    row: dict[str, Any] = {"task": name, "things": ours["count"]}
    for server, results in found.items():
        row[f"{server} ms"] = results[name]["seconds"] * 1e3
    row["ours median ms"] = ours["median"] * 1e3
    for server, results in found.items():
        row[f"{server} CPU ms"] = results[name]["cpu"] * 1e3
    row["each µs"] = ours["seconds"] / max(1, ours["count"]) * 1e6
    best = min((results[name]["seconds"] for server, results in found.items() if server != "ours"), default=0.0)
    if best:
        row["ratio"] = ours["seconds"] / best
    return row
