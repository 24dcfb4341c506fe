"""The short form of `make soak`: mail flows through a whole installation while its processes are killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.ports import free_ports
from tests.flows.test_kill import environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_every_promise_is_kept_while_processes_are_killed() -> None:
    command = [sys.executable, "manage.py", "soak", "--seconds", "6", "--every", "0.3", "1.5"]
    ran = subprocess.run(command, cwd=ROOT, env=environment(free_ports(3)), capture_output=True, text=True)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert "every promise was kept" in ran.stdout
