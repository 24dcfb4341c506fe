"""Siblings: who is killed is started again, all end together, and what they hold is counted together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from core.siblings import Finished, Tally

SCRIPT = r"""
import atexit, os, signal, sys, time
from core import siblings
from core.siblings import Siblings

if sys.argv[1] == "waits":
    siblings.PAUSES_S = (0.0, 3600.0)

def work(number):
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(number))
    if sys.argv[1] == "fails" and number:
        raise ValueError("no port")
    os.write(1, f"{number} {os.getpid()}\n".encode())
    atexit.register(os.write, 1, f"drained {number}\n".encode())
    while not ended:
        time.sleep(0.01)

sys.exit(Siblings(2, work).run())
"""


@contextlib.contextmanager
def siblings(how: str = "") -> Iterator[subprocess.Popen[str]]:
    """Two of them, with their parent."""
    command = [sys.executable, "-c", SCRIPT, how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as parent:
        try:
            yield parent
        finally:
            parent.kill()


def line(parent: subprocess.Popen[str]) -> list[str]:
    """The next thing said."""
    assert parent.stdout is not None
    return parent.stdout.readline().split()


def started(parent: subprocess.Popen[str], count: int = 2) -> dict[str, int]:
    """Numbers and process ids."""
    return {number: int(pid) for number, pid in (line(parent) for _ in range(count))}


def test_who_is_killed_is_there_again_and_the_other_goes_on_until_both_are_stopped() -> None:
    with siblings() as parent:
        first = started(parent)
        assert sorted(first) == ["0", "1"]
        os.kill(first["1"], signal.SIGKILL)
        again = started(parent, 1)
        assert list(again) == ["1"]
        assert again["1"] != first["1"]
        os.kill(first["0"], 0)
        parent.send_signal(signal.SIGTERM)
        assert sorted([line(parent), line(parent)]) == [["drained", "0"], ["drained", "1"]]
        assert parent.wait(60) == 0


def test_who_ends_well_without_being_asked_is_there_again() -> None:
    with siblings() as parent:
        os.kill(started(parent)["0"], signal.SIGTERM)
        assert line(parent) == ["drained", "0"]
        assert list(started(parent, 1)) == ["0"]


def test_an_error_of_one_ends_all_with_its_code() -> None:
    with siblings("fails") as parent:
        assert parent.wait(60) == 1
        assert parent.stderr is not None
        assert "no port" in parent.stderr.read()


def test_while_one_that_keeps_dying_waits_the_others_are_watched() -> None:
    with siblings("waits") as parent:
        running = started(parent)
        os.kill(running["1"], signal.SIGKILL)
        os.kill(started(parent, 1)["1"], signal.SIGKILL)
        assert parent.stderr is not None
        assert [parent.stderr.readline() for _ in range(2)] == ["sibling ended\n"] * 2  # and now it waits for an hour
        os.kill(running["0"], signal.SIGKILL)
        again = started(parent, 1)
        assert list(again) == ["0"]
        os.kill(again["0"], signal.SIGKILL)  # so does the other
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(60) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has PR_SET_PDEATHSIG")
def test_none_outlives_a_killed_parent() -> None:
    with siblings() as parent:
        started(parent)
        parent.kill()
        assert line(parent) == [], "the pipe closes when all have gone"


def test_connections_are_counted_together() -> None:
    tally = Tally(2)
    one, other = (tally.limits(number, total=5, per_address=3) for number in range(2))
    assert one.enter("192.0.2.1")
    assert other.enter("192.0.2.1")
    assert one.enter("192.0.2.1")
    assert not other.enter("192.0.2.1")
    assert other.enter("2001:db8::1")
    assert one.enter("2001:db8::2"), "the same /64"
    assert not one.enter("198.51.100.1"), "the sixth of all"
    one.leave("192.0.2.1")
    assert other.enter("192.0.2.1")


def test_a_new_sibling_holds_nothing_of_the_one_before() -> None:
    tally = Tally(2)
    before, other = (tally.limits(number, total=9, per_address=2) for number in range(2))
    assert before.enter("192.0.2.1")
    assert other.enter("192.0.2.1")
    assert not other.enter("192.0.2.1")
    fresh = tally.limits(0, total=9, per_address=2)
    assert fresh.enter("192.0.2.1")
    assert not fresh.enter("192.0.2.1"), "the other's is still counted"


def test_what_is_finished_everywhere_is_what_the_slowest_has_finished() -> None:
    finished = Finished(2)
    assert finished.note(0, 10.0, None) == 0.0, "the other has told nothing yet"
    finished.note(1, 11.0, None)
    assert finished.note(0, 12.0, None) == 0.0, "what lies in its sockets since then it may not have seen"
    finished.note(1, 13.0, None)
    assert finished.note(0, 14.0, None) == 11.0
    finished.note(1, 15.0, 10.5)
    assert finished.note(0, 16.0, None) == 10.5, "that it holds still"
    assert finished.note(0, 17.0, 9.0) == 9.0


def test_one_process_has_finished_what_it_does_not_hold() -> None:
    finished = Finished()
    assert finished.note(0, 10.0, None) == 10.0
    assert finished.note(0, 11.0, 10.5) == 10.5
