"""Several processes that do the same and share their ports, under a parent that only watches them.

The parent has no thread, no event loop and no connection to anything, so it may fork whenever it must: who was killed
is there again within moments, while the others go on. None outlives the parent, however that ends.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import mmap
import os
import signal
import time
from collections.abc import Callable

from core.connection import ConnectionLimits, address_block
from core.processes import die_with_parent

PAUSES_S = (0.0, 1.0, 3.0, 10.0)
"""Before one that has ended is started again; the longer, the more often in a row it ended soon."""
STEADY_S = 30.0
"""Alive so long, it has earned a quick start again."""
POLL_S = 0.05
SLOTS = 1 << 14
"""Counters of address blocks. Two busy blocks share one once in thousands of cases, and are then counted as one."""
_STOPS = (signal.SIGTERM, signal.SIGINT)

log = logging.getLogger(__name__)


class Siblings:
    """`count` processes, each of which does `work` with its number (0 to `count` - 1)."""

    def __init__(self, count: int, work: Callable[[int], None]) -> None:
        self.count = count
        self._work = work
        self._alive: dict[int, tuple[int, float]] = {}
        """By process id: the number, and when it was started."""
        self._soon: dict[int, int] = {}
        """By number: how often in a row it ended soon."""
        self._due: dict[int, float] = {}
        """By number: when one that has ended is started again."""
        self._is_stopping = False

    def run(self) -> int:
        """Until SIGTERM or SIGINT, which all of them get; the exit code.

        Who was killed, or has ended well without being asked, is started again. Who ends with an error (a port is taken,
        a setting is wrong) ends all: whoever started us knows when to try again.
        """
        for stop in _STOPS:
            signal.signal(stop, lambda *_: self._stop())
        for number in range(self.count):
            self._start(number)
        failed = 0
        while self._alive or self._due:
            pid, status = self._next_end()
            number, started = self._alive.pop(pid, (-1, 0.0))
            if number >= 0:
                code = os.waitstatus_to_exitcode(status)
                if code > 0:
                    failed = failed or code
                    self._stop()
                elif not self._is_stopping:
                    log.warning("sibling ended", extra={"number": number, "pid": pid, "code": code})
                    self._again(number, time.monotonic() - started)
            self._start_due()
        return failed

    def _next_end(self) -> tuple[int, int]:
        """Who ended and how; (0, 0) at once while somebody waits to be started again, which must not be slept over."""
        if not self._due:
            return os.wait()
        if self._alive:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid:
                return pid, status
        time.sleep(POLL_S)
        return 0, 0

    def _again(self, number: int, lived_s: float) -> None:
        self._soon[number] = 0 if lived_s > STEADY_S else self._soon.get(number, -1) + 1
        self._due[number] = time.monotonic() + PAUSES_S[min(self._soon[number], len(PAUSES_S) - 1)]

    def _start_due(self) -> None:
        if self._is_stopping:
            self._due.clear()
        for number, at in list(self._due.items()):
            if at <= time.monotonic():
                del self._due[number]
                self._start(number)

    def _start(self, number: int) -> None:
        parent = os.getpid()
        # A stop that comes now finds the child known, and in the child no handler of the parent's.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        if not self._is_stopping:
            pid = os.fork()
            if pid == 0:
                self._be(number, parent)
            self._alive[pid] = number, time.monotonic()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)

    def _be(self, number: int, parent: int) -> None:
        code = 1
        try:
            for each in _STOPS:
                signal.signal(each, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
            die_with_parent(parent)
            self._work(number)
            atexit._run_exitfuncs()  # what was begun ends: `os._exit`, which spares the parent's stack, would not wait
            code = 0
        except BaseException:
            log.exception("sibling failed", extra={"number": number})
        finally:
            logging.shutdown()
            os._exit(code)

    def _stop(self) -> None:
        self._is_stopping = True
        for pid in list(self._alive):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


class Finished:
    """Up to which moment (seconds of the monotonic clock, which all processes share) each sibling has finished what reached
    it: memory that they share. Made before they part; each writes its own moment and reads all.

    What lies in a socket that its sibling has not read yet counts as reached: a moment is told only by the next `note`,
    after the event loop has looked at every socket once more.
    """

    def __init__(self, count: int = 1) -> None:
        self._moments = memoryview(mmap.mmap(-1, count * 8)).cast("d")
        self._looked = [0.0] * count

    def note(self, number: int, now: float, oldest: float | None) -> float:
        """Tell of the sibling `number`, whose oldest unfinished work began at `oldest`; what began before the moment that
        comes back is finished everywhere. A sibling that was killed keeps it back until its successor tells."""
        own = now if oldest is None else oldest
        self._moments[number], self._looked[number] = min(own, self._looked[number]), now
        return min(own, *(each for other, each in enumerate(self._moments) if other != number), now)


class Tally:
    """How many connections each sibling holds, in total and by address block: memory that they share. Made before they
    part; each writes its own row and reads all."""

    def __init__(self, count: int) -> None:
        self._width = SLOTS + 1
        self._counts = memoryview(mmap.mmap(-1, count * self._width * 2)).cast("H")
        self._rows = [number * self._width for number in range(count)]

    def limits(self, number: int, *, total: int, per_address: int) -> ConnectionLimits:
        """For the sibling of this number, which has just been started and holds nothing."""
        row = self._rows[number]
        self._counts[row : row + self._width] = memoryview(bytes(self._width * 2)).cast("H")
        return _SharedLimits(self._counts, self._rows, row, total=total, per_address=per_address)


class _SharedLimits(ConnectionLimits):
    """Limits that hold for all siblings together. Two that admit in the same moment may admit one too many."""

    def __init__(self, counts: memoryview, rows: list[int], own: int, *, total: int, per_address: int) -> None:
        super().__init__(total=total, per_address=per_address)
        self._counts, self._rows, self._own = counts, rows, own

    def enter(self, address: str) -> bool:
        """Count a connection in; False (and nothing counted) when it is one too many."""
        slot = self._slot(address)
        if self._sum(0) >= self.total or self._sum(slot) >= self.per_address:
            return False
        self._counts[self._own] += 1
        self._counts[self._own + slot] += 1
        return True

    def leave(self, address: str) -> None:
        """Count out a connection that `enter` let in."""
        self._counts[self._own] -= 1
        self._counts[self._own + self._slot(address)] -= 1

    def _slot(self, address: str) -> int:
        """Siblings have their parent's key for hashes of text, which nobody outside knows."""
        return 1 + hash(address_block(address)) % SLOTS

    def _sum(self, slot: int) -> int:
        return sum(self._counts[row + slot] for row in self._rows)
