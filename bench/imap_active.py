"""A hundred people at work: every connection asks for something now and then, and waits for its answer."""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Sequence
from typing import Any

from bench.imap_tasks import ENVELOPE
from bench.mail_client import Imap
from bench.processes import cpu_s

SECONDS = 15.0
PAUSE_S = 1.0
"""Between an answer and the next command, in the mean: a program that is used without a break."""


def active(pid: int, port: int, names: Sequence[str], password: str, *, count: int) -> dict[str, Any]:
    """Milliseconds of an answer while `count` connections ask, commands a second, and the server's CPU in cores."""
    clients = [Imap(port, names[number % len(names)], password) for number in range(count)]
    for client in clients:
        client.select()
    times: list[float] = []
    until = time.monotonic() + SECONDS
    threads = [threading.Thread(target=_work, args=(each, number, until, times)) for number, each in enumerate(clients)]
    cpu = cpu_s(pid)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cpu = cpu_s(pid) - cpu
    for client in clients:
        client.close()
    ordered = sorted(times)
    return {
        "p50 ms": statistics.median(ordered),
        "p99 ms": ordered[int(len(ordered) * 0.99)],
        "commands/s": len(ordered) / SECONDS,
        "cores": cpu / SECONDS,
    }


def _work(client: Imap, seed: int, until: float, times: list[float]) -> None:
    chance = random.Random(seed)
    time.sleep(chance.random() * PAUSE_S)
    count = client.select()
    while time.monotonic() < until:
        first = chance.randint(1, max(1, count - 50))
        commands = [
            b"FETCH %d:%d %b" % (first, min(count, first + 49), ENVELOPE),
            b"FETCH %d (BODY.PEEK[])" % first,
            b"STORE %d %bFLAGS (\\Flagged)" % (first, chance.choice((b"+", b"-"))),
            b"SEARCH UNSEEN",
            b"SEARCH SUBJECT invoice",
            b"NOOP",
        ]
        began = time.perf_counter()
        client.say(chance.choice(commands))
        times.append((time.perf_counter() - began) * 1e3)
        time.sleep(chance.expovariate(1 / PAUSE_S))
