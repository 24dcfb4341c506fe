"""The supervisor with real children."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from webmail.serve import supervisor as module
from webmail.serve.programs import Program
from webmail.serve.supervisor import Supervisor

SLEEPER = "import time; time.sleep(600)"
DEAF = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
time.sleep(600)
"""
NOTER = """
import pathlib, signal, sys, time
def leave(*_):
    with open(sys.argv[1], "a") as file: file.write(sys.argv[2] + " ")
    sys.exit()
signal.signal(signal.SIGTERM, leave)
pathlib.Path(sys.argv[1] + "." + sys.argv[2]).touch()
time.sleep(600)
"""


def program(name: str, script: str, *arguments: str, grace_s: float = 60.0) -> Program:
    """A child that runs `script`."""
    return Program(name, (sys.executable, "-c", script, *arguments), grace_s)


async def child_of(running: Supervisor, name: str, *, but: int = 0) -> int:
    """The pid of a running child, once it is another than `but`."""
    while (child := running.children.get(name)) is None or child.returncode is not None or child.pid == but:
        await asyncio.sleep(0.01)
    return child.pid


def is_alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.asyncio
async def test_a_killed_child_is_started_again_and_counted() -> None:
    running = Supervisor([program("sleeper", SLEEPER)])
    task = asyncio.create_task(running.run())
    first = await child_of(running, "sleeper")
    os.kill(first, signal.SIGKILL)
    second = await child_of(running, "sleeper", but=first)
    assert running.restarts == {"sleeper": 1}
    running.stop()
    await task
    assert not is_alive(second)


@pytest.mark.asyncio
async def test_children_are_drained_together_and_what_they_rest_on_last(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    names = ["ground", "two", "three"]
    children = [program(name, NOTER, str(notes), name) for name in names]
    running = Supervisor([dataclasses.replace(children[0], is_ground=True), *children[1:]])
    task = asyncio.create_task(running.run())
    while not all((tmp_path / f"notes.{name}").exists() for name in names):
        await asyncio.sleep(0.01)
    running.stop()
    await task
    told = notes.read_text().split()
    assert sorted(told[:2]) == ["three", "two"]
    assert told[2:] == ["ground"]


@pytest.mark.asyncio
async def test_a_slow_child_does_not_keep_the_others_from_being_asked(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    deaf = program("deaf", DEAF, str(tmp_path / "notes.deaf"))
    running = Supervisor([program("quick", NOTER, str(notes), "quick"), deaf])
    task = asyncio.create_task(running.run())
    while not all((tmp_path / f"notes.{name}").exists() for name in ("quick", "deaf")):
        await asyncio.sleep(0.01)
    running.stop()
    while not notes.exists():
        await asyncio.sleep(0.01)
    assert is_alive(running.children["deaf"].pid)
    running.children["deaf"].kill()
    await task


@pytest.mark.asyncio
async def test_a_child_that_does_not_listen_is_killed_after_its_grace(tmp_path: Path) -> None:
    running = Supervisor([program("deaf", DEAF, str(tmp_path / "ready"), grace_s=0.3)])
    task = asyncio.create_task(running.run())
    pid = await child_of(running, "deaf")
    while not (tmp_path / "ready").exists():
        await asyncio.sleep(0.01)
    running.stop()
    await task
    assert not is_alive(pid)


@pytest.mark.asyncio
async def test_a_child_that_dies_at_once_is_not_started_in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACK_OFF_S", (0.0, 0.0, 600.0))
    running = Supervisor([program("broken", "raise SystemExit(3)")])
    task = asyncio.create_task(running.run())
    while running.restarts.get("broken", 0) < 2:
        await asyncio.sleep(0.01)
    running.stop()  # ends the pause of ten minutes too
    await task
    assert running.restarts == {"broken": 2}


def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    script = f"""
import asyncio, sys
from pathlib import Path
from webmail.serve.programs import Program
from webmail.serve.supervisor import Supervisor
running = Supervisor([Program("child", (sys.executable, "-c", {SLEEPER!r}))])
async def main():
    task = asyncio.create_task(running.run())
    while "child" not in running.children: await asyncio.sleep(0.01)
    print(running.children["child"].pid, flush=True)
    await task
asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_alive(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(6_000):
        if not is_alive(child):
            return
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the child outlived its supervisor")
