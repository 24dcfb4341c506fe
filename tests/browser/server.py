"""A whole Globalmail of its own: `manage.py serve` on free ports of loopback, with its own data folder."""

from __future__ import annotations

import contextlib
import copy
import ctypes
import json
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from core.checks import PORTS
from core.ports import free_ports

ROOT = Path(__file__).resolve().parent.parent.parent
START_S = 90.0


class Server:
    """A running server, by its address and the folder that is all of it."""

    def __init__(self, folder: Path, ports: dict[str, int], environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.url = f"http://localhost:{ports['WEB_PORT']}"
        self.port = ports["WEB_PORT"]
        self.mx_port = ports["MX_PORT"]

    def at(self, host: str) -> Server:
        """The same server under another name."""
        other = copy.copy(self)
        other.url = f"http://{host}:{self.port}"
        return other

    def log(self) -> str:
        """What the server has said so far."""
        return (self.folder / "log").read_text(errors="replace")

    def put_aside(self, address: str) -> str:
        """Three mails in somebody's quarantine and their report in his inbox; the link that releases the last."""
        command = [sys.executable, "-m", "tests.browser.put_aside", address]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, timeout=120, stdout=subprocess.PIPE, text=True
        )
        _before, _, path = done.stdout.strip().rpartition("/quarantine/")
        return f"{self.url}/quarantine/{path}"

    def asked(self, author: str, approver: str) -> tuple[str, str]:
        """`approver` is asked about mail of `author` and about a mail to a list; the links for the latter and for an
        address outside that `author` wants to forward to."""
        command = [sys.executable, "-m", "tests.browser.asked", author, approver]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, timeout=120, stdout=subprocess.PIPE, text=True
        )
        first, second = (f"{self.url}/{line.split('/', 3)[3]}" for line in done.stdout.split()[-2:])
        return first, second

    def deliver(self, recipient: str, raw: bytes, *, sender: str = "anna@lichtwerk.test") -> None:
        """Send a mail in by SMTP, as the world does; it is in the mailbox when this returns."""
        with smtplib.SMTP("127.0.0.1", self.mx_port, timeout=60) as client:
            client.sendmail(sender, [recipient], raw)


@contextlib.contextmanager
def serving(routes: dict[str, str], accounts: list[str]) -> Iterator[Server]:
    """Start it with `accounts`, wait until it answers, stop all of it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="gm-"))
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    environment = _environment(folder, ports, routes)
    log = (folder / "log").open("wb")
    try:
        subprocess.run(
            [sys.executable, "-m", "tests.browser.seed", *accounts], cwd=ROOT, env=environment, check=True, timeout=120
        )
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
        try:
            server = Server(folder, ports, environment)
            _wait(server, process)
            yield server
        finally:
            _stop(process)
    finally:
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path, ports: dict[str, int], routes: dict[str, str]) -> dict[str, str]:
    """Nothing of the tests' own settings reaches the server."""
    ours = ("DATABASE_URL", "REDIS_URL", "STATIC_STORAGE", "GLOBALMAIL_TEST_DATA", "LOG_LEVEL")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {
        **kept,
        **{name: str(port) for name, port in ports.items()},
        "DJANGO_SETTINGS_MODULE": "webmail.settings",
        "DATA_DIR": str(folder),
        "STATIC_ROOT": str(folder / "static"),
        "ROUTES": json.dumps(routes),
        "LOG_LEVEL": "WARNING",
        "WORKER_CONCURRENCY": "2",
        "WEB_WORKERS": "1",
    }


def _end_with_parent() -> None:
    """In the child: tests that are killed leave no server behind (Linux: prctl PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if _answers(server):
            return
        time.sleep(0.2)
    raise RuntimeError("The server did not start:\n" + server.log())


def _answers(server: Server) -> bool:
    """Both doors are open."""
    try:
        urllib.request.urlopen(f"{server.url}/healthz", timeout=60).read()
        socket.create_connection(("127.0.0.1", server.mx_port), timeout=60).close()
    except OSError:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    """As Ctrl-C does; what is left of its group after that is killed."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)
