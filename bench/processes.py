"""Processes under measurement: started and stopped in their own group, and the CPU time their whole tree used."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from django.db import connection

TICKS = os.sysconf("SC_CLK_TCK")
PRIORITY = "BENCH_PRIORITY"
"""A nice value for everything that is measured, for machines with other guests (negative: as root only)."""
START_S = 30.0


def take_priority(pid: int) -> None:
    """Obey BENCH_PRIORITY for a process that leads a session: Linux weighs sessions against each other first."""
    wanted = os.environ.get(PRIORITY)
    group = Path(f"/proc/{pid}/autogroup")
    if wanted and group.exists():
        group.write_text(wanted)
    elif wanted:
        os.setpriority(os.PRIO_PROCESS, pid, int(wanted))


def cpu_s(root_pid: int) -> float:
    """User and system seconds of a process, its living descendants and those it has waited for."""
    fields = {int(path.parent.name): found for path in Path("/proc").glob("[0-9]*/stat") if (found := _stat(path))}
    total, waiting = 0.0, [root_pid]
    while waiting:
        pid = waiting.pop()
        if pid in fields:
            total += sum(fields[pid][1:]) / TICKS
        waiting += [child for child, numbers in fields.items() if numbers[0] == pid]
    return total


def _stat(path: Path) -> tuple[int, int, int, int, int] | None:
    """Parent, utime, stime, cutime, cstime."""
    try:
        fields = path.read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[1]), *(int(each) for each in fields[11:15]))  # type: ignore[return-value]


def server_s() -> float:
    """CPU of this connection's PostgreSQL backend, on the same machine; 0 for SQLite."""
    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(each) for each in fields[11:13]) / TICKS


def others_cores(seconds: float, own_cpu_s: float, before: float) -> float:
    """Cores that anybody else used meanwhile; `before` is `machine_cpu_s` at the start."""
    return max(0.0, (machine_cpu_s() - before - own_cpu_s) / max(seconds, 1e-6))


def machine_cpu_s() -> float:
    """Busy seconds of all cores since boot."""
    numbers = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return (sum(numbers[:3]) + sum(numbers[5:8])) / TICKS


@contextlib.contextmanager
def running(command: Sequence[str], *, port: int | None = None, environment: Mapping[str, str] = {}) -> Iterator[int]:
    """Start a program, wait for its port, give its pid, stop its group."""
    child = subprocess.Popen(command, env=os.environ | dict(environment), start_new_session=True)
    take_priority(child.pid)
    try:
        if port is not None:
            _wait_for(port, child)
        yield child.pid
    finally:
        child.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _wait_for(port: int, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if child.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{child.args!r} did not start") from None
            time.sleep(0.05)
        else:
            return
