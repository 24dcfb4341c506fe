"""A Globalmail of its own to photograph: free ports, a temporary DATA_DIR, the demo company."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

from django.conf import settings
from django.core.management.base import CommandError

from core.checks import PORTS
from core.ports import free_ports

START_S = 120.0
STOP_S = 60.0


@contextlib.contextmanager
def demo_server() -> Iterator[str]:
    """The base URL of a running demo; everything of it is gone afterwards. Raises CommandError if it doesn't start."""
    folder = tempfile.mkdtemp(prefix="gm-")
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    base_url = f"http://127.0.0.1:{ports['WEB_PORT']}"
    environment = _environment() | {name: str(port) for name, port in ports.items()}
    environment |= {"DATA_DIR": folder, "BASE_URL": base_url, "LISTEN_HOST": "127.0.0.1", "LOG_LEVEL": "WARNING"}
    server = subprocess.Popen(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve", "--demo"],
        env=environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_until_healthy(base_url, server)
        yield base_url
    finally:
        server.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(STOP_S)
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _environment() -> dict[str, str]:
    """Without what would point at somebody's real stores."""
    hidden = {"DATABASE_URL", "REDIS_URL", "BLOB_STORE_URL", "SECRET_KEYS", "HTTPS"}
    return {name: value for name, value in os.environ.items() if name not in hidden}


def _wait_until_healthy(base_url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise CommandError(f"serve ended with code {server.returncode} before it answered.")
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"{base_url}/healthz", timeout=2).close()
            return
        time.sleep(0.2)
    raise CommandError("serve did not answer in time.")
