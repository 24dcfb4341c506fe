"""Folders of growing size in one table, and what one operation costs in each: wall, CPU and memory."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.db import connection

from accounts.models import Account
from bench.processes import server_s
from bench.site import accounts, fill

SIZES = (1_000, 10_000, 100_000)
LARGEST = 1_000_000
"""Only when asked for: filling it takes five minutes."""


def folders(*, full: bool) -> Iterator[tuple[Account, int]]:
    """An account with an inbox of each size, smallest first; the larger ones are filled when they are asked for."""
    sizes = (*SIZES, LARGEST) if full else SIZES
    for account, size in zip(accounts(len(sizes)), sizes, strict=True):
        started = time.perf_counter()
        fill(account, size)
        analyze()
        print(f"filled {size:,} in {time.perf_counter() - started:.0f} s", flush=True)
        yield account, size


def analyze() -> None:
    """What PostgreSQL's autovacuum does by itself after a while; SQLite's plans here need no statistics."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


@dataclasses.dataclass(frozen=True, slots=True)
class Cost:
    """Of one call; `cpu_s` is with the database server's. `memory_mb` is what the process grew by at its peak."""

    wall_s: float
    cpu_s: float
    memory_mb: float


def cost(call: Callable[[], object]) -> Cost:
    """Do it once."""
    before_mb = _reset_peak()
    server, cpu, started = server_s(), time.process_time(), time.perf_counter()
    call()
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    return Cost(wall, cpu + server_s() - server, max(0.0, _memory("VmHWM") - before_mb))


def summary(name: str, costs: list[Cost], rows: int = 1) -> dict[str, Any]:
    """Medians, and for each of `rows` that one call touches."""
    wall, cpu = (statistics.median(getattr(each, field) for each in costs) for field in ("wall_s", "cpu_s"))
    found: dict[str, Any] = {"operation": name, "rows": rows, "ms": wall * 1e3, "CPU ms": cpu * 1e3}
    found |= {"best ms": min(each.wall_s for each in costs) * 1e3}
    if rows > 1:
        found |= {"µs/row": wall / rows * 1e6, "CPU µs/row": cpu / rows * 1e6}
    else:
        found |= {"p99 ms": sorted(each.wall_s for each in costs)[int(len(costs) * 0.99)] * 1e3}
    return found | {"memory MB": max(each.memory_mb for each in costs)}


def _reset_peak() -> float:
    """Make the kernel forget the peak of this process's memory; what it holds now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))
