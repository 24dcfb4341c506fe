"""The installation's processes: `serve` started, found, killed, started again."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from django.conf import settings

from core.checks import PORTS
from webmail.soak.ledger import Ledger

READY_S = 300.0
STOP_S = 60.0
KINDS = {
    "redis": ("redis-server", "valkey-server"),
    "smtpd": ("manage.py smtpd",),
    "imapd": ("manage.py imapd",),
    "pop3d": ("manage.py pop3d",),
    "worker": (" worker ",),
    "beat": (" beat ",),
    "web": ("granian",),
}
"""What the command line of a child of `serve` holds."""
INNER = {"web": "web worker", "smtpd": "smtpd sibling"}
"""Children that have children of their own, and what those are called here."""

TARGETS = (*KINDS, *KINDS, *INNER.values(), *INNER.values(), "serve")
"""What a kill may hit; the supervisor less often, because everything stands still while it starts again."""


class Serve:
    """`manage.py serve`, which can be killed at any moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._log: IO[bytes] = (settings.DATA_DIR / "serve.log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until web and mail answer. Raises TimeoutError."""
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve"]
        with self._lock:
            self._process = subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT)  # noqa: S603
        self.wait_ready()

    def wait_ready(self) -> None:
        """Until every port answers."""
        deadline = time.monotonic() + READY_S
        for port in (getattr(settings, name) for name in PORTS):
            while not answers(port):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"port {port} did not answer")
                time.sleep(0.1)

    def kill(self) -> None:
        """SIGKILL to the supervisor: its children must go with it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM, drained; the exit code. Raises TimeoutExpired."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_S)
        finally:
            self._process.kill()
            self._log.close()

    def children(self) -> dict[str, list[int]]:
        """Kind to process ids: children of the supervisor, and the children of those in INNER."""
        assert self._process is not None
        found: dict[str, list[int]] = {}
        for pid in children_of(self._process.pid):
            line = command_line(pid)
            kind = next((name for name, marks in KINDS.items() if any(mark in line for mark in marks)), "")
            if kind:
                found.setdefault(kind, []).append(pid)
            if kind in INNER:
                found.setdefault(INNER[kind], []).extend(children_of(pid))
        return found


class Killer(threading.Thread):
    """Kills something every so often; the supervisor is started again by us, the rest by the supervisor."""

    def __init__(self, serve: Serve, ledger: Ledger, chance: random.Random, *, every_s: tuple[float, float]) -> None:
        super().__init__(name="killer", daemon=True)
        self._serve = serve
        self._ledger = ledger
        self._chance = chance
        self._every_s = every_s
        self.stopping = threading.Event()

    def run(self) -> None:
        """Until told to stop."""
        while not self.stopping.wait(self._chance.uniform(*self._every_s)):
            kind = self._chance.choice(TARGETS)
            if kind == "serve":
                self._serve.kill()
                time.sleep(self._chance.uniform(0, 0.5))
                self._serve.start()
            elif not self._kill_one(kind):
                continue
            self._ledger.count(f"kill {kind}")

    def _kill_one(self, kind: str) -> bool:
        pids = self._serve.children().get(kind, [])
        if not pids:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._chance.choice(pids), signal.SIGKILL)
        return True


def answers(port: int) -> bool:
    """Whether somebody listens on a port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def children_of(pid: int) -> list[int]:
    """Living children of a process, by /proc."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(path.parent.name))
    return found


def command_line(pid: int) -> str:
    """A process's command line, its words separated by blanks."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""
