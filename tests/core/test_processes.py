"""No process outlives the one that started it, whenever that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from core.processes import die_with_parent

CHILD = """
import os, sys, time
from core.processes import die_with_parent
parent = os.getpid()
if os.fork() == 0:
    if sys.argv[1] == "late":
        while os.getppid() == parent:
            time.sleep(0.01)
    die_with_parent(parent)
    print("asked", flush=True)
    time.sleep(600)
if sys.argv[1] == "late":
    os._exit(0)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has PR_SET_PDEATHSIG")
@pytest.mark.parametrize("moment", ["asked", "late"])
def test_a_child_goes_with_its_killed_parent_also_when_it_asks_too_late(moment: str) -> None:
    parent = subprocess.Popen([sys.executable, "-c", CHILD, moment], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    if moment == "asked":
        assert parent.stdout.readline() == b"asked\n"
        os.kill(parent.pid, signal.SIGKILL)
    assert parent.stdout.read() == b"", "the pipe closes when the child has gone, too"
    parent.wait()
    parent.stdout.close()


def test_a_child_of_somebody_else_does_not_live(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr("core.processes.os.kill", lambda pid, number: killed.append(number))
    monkeypatch.setattr("core.processes.ctypes.CDLL", lambda name: type("C", (), {"prctl": staticmethod(lambda *a: 0)}))
    die_with_parent(os.getppid())
    assert killed == []
    die_with_parent(1 if os.getppid() != 1 else 2)
    assert killed == [signal.SIGKILL]
