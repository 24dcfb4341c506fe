"""Mail programs from Debian at our servers, each in a home of its own."""

from __future__ import annotations

import dataclasses
import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import Account
from accounts.selectors import access_for
from core.access import Access
from core.connection import ensure_certificate
from tests.factories import PASSWORD

ADDRESS = "alice@example.test"
TIMEOUT_S = 120


@dataclasses.dataclass(frozen=True)
class Home:
    """A folder that a program takes for its user's home."""

    path: Path

    def write(self, name: str, text: str) -> Path:
        """A private file."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        return path

    def environment(self) -> dict[str, str]:
        """What the program sees."""
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}
        own = {"HOME": str(self.path), "TERM": "xterm", "LC_ALL": "C.UTF-8", "USER": "alice"}
        return kept | own | {"PYTHONPATH": str(self.path / "python")}

    def run(self, *command: str, fails: bool = False) -> str:
        """Its output; it must end well, or badly."""
        done = subprocess.run(
            [program(command[0]), *command[1:]], cwd=self.path, env=self.environment(), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=TIMEOUT_S,
        )  # fmt: skip
        output = (done.stdout + done.stderr).decode("utf-8", "replace")
        assert bool(done.returncode) == fails, output
        return output

    def in_terminal(self, *command: str) -> str:
        """A program that wants a terminal; what it painted."""
        return _in_terminal([program(command[0]), *command[1:]], self)


def program(name: str) -> str:
    """Where a program is. `make test` installs it as root; nobody else can."""
    found = shutil.which(name)
    if found is None and os.geteuid() != 0:
        pytest.skip(f"{name} is not installed, and only root could install it")
    assert found is not None, f"{name} is missing: python3 deploy/bootstrap.py --dev installs it"
    return found


def _in_terminal(command: Sequence[str], home: Home) -> str:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(home.path)
        os.execve(command[0], list(command), home.environment())
    shown = b""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.5)[0]:
            try:
                data = os.read(terminal, 65_536)
            except OSError:
                break
            if not data:
                break
            shown += data
    else:
        os.kill(pid, 9)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    text = shown.decode("utf-8", "replace")
    assert status == 0, text
    return text


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path)


@pytest.fixture
def certificate() -> str:
    """The path of our certificate, for programs that trust what they are shown."""
    return str(ensure_certificate(settings.DATA_DIR / "certs", settings.PUBLIC_HOST)[0])


@pytest.fixture
def mine(alice: Account) -> Access:
    """Alice in her own mailbox."""
    return access_for(alice, alice.pk)


__all__ = ["ADDRESS", "PASSWORD", "Home", "program"]
