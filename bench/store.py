"""The store alone: parse, compress, hash and store in groups of 64, one thread, every group durable."""

from __future__ import annotations

import statistics
import time
from typing import Any

from django.db import connection, transaction

from bench.corpus import letter
from bench.processes import server_s
from bench.report import report
from bench.site import accounts
from mailstore.services.deliver import Incoming, Placement, prepare, store

GROUP = 64
USERS = 50


def main(*, full: bool) -> None:
    """Rounds of 64 groups; median and best."""
    people = accounts(USERS)
    rounds, groups = (7, 64) if full else (5, 32)
    count = groups * GROUP
    _round([letter(number) for number in range(10**9, 10**9 + 5 * GROUP)], people)
    found = []
    for number in range(rounds):
        raws = [letter(each) for each in range(number * count, (number + 1) * count)]
        found.append(_round(raws, people))

    def middle(name: str) -> float:
        return statistics.median(each[name] for each in found)

    row = {"group": GROUP, "mails": count * rounds, "mails/s": middle("rate"), "best/s": max(e["rate"] for e in found)}
    row |= {"CPU µs": middle("cpu"), "of it prepare": middle("prepare"), "best CPU µs": min(e["cpu"] for e in found)}
    row |= {"database server µs": middle("server")} if connection.vendor == "postgresql" else {}
    report(f"store-{connection.vendor}", "Store alone", [row], database=connection.vendor, rounds=rounds)


def _round(raws: list[bytes], people: list[Any]) -> dict[str, float]:
    server = server_s()
    started, cpu, preparing = time.perf_counter(), time.process_time(), 0.0
    for begin in range(0, len(raws), GROUP):
        before = time.process_time()
        prepared = [prepare(raw) for raw in raws[begin : begin + GROUP]]
        preparing += time.process_time() - before
        items = [Incoming(each, [Placement(people[n * 7 % USERS].pk)]) for n, each in enumerate(prepared)]
        with transaction.atomic():
            store(items)
    count = len(raws)
    return {
        "rate": count / (time.perf_counter() - started),
        "cpu": (time.process_time() - cpu) / count * 1e6,
        "prepare": preparing / count * 1e6,
        "server": (server_s() - server) / count * 1e6,
    }
