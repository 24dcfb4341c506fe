"""Starts children in their own process groups, starts a dead one again with back-off, stops all of them together.

A child dies with us even when we are killed (PR_SET_PDEATHSIG): no orphan keeps a port or the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import signal
import time
from collections.abc import Callable, Iterable

from core.processes import die_with_parent
from webmail.serve.programs import Program

BACK_OFF_S = (0.2, 1.0, 3.0, 10.0, 30.0)
STEADY_S = 30.0
"""Alive so long, a child has earned a quick restart again."""

log = logging.getLogger(__name__)


class Supervisor:
    """Runs programs until `stop`."""

    def __init__(self, programs: Iterable[Program]) -> None:
        self.programs = list(programs)
        self.children: dict[str, asyncio.subprocess.Process] = {}
        self.restarts: dict[str, int] = {}
        self._stopping = asyncio.Event()

    async def run(self, ready: Callable[[Program], None] | None = None) -> None:
        """Start all, watch them, and when asked to stop drain them: what the others rest on last."""
        watchers = []
        for program in self.programs:
            if self._stopping.is_set():
                break
            watchers.append(asyncio.create_task(self._watch(program)))
            if ready is not None:
                await asyncio.get_running_loop().run_in_executor(None, ready, program)
        await self._stopping.wait()
        for is_ground in (False, True):
            ending = [self._end(program) for program in self.programs if program.is_ground == is_ground]
            await asyncio.gather(*ending)
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)

    @property
    def is_stopping(self) -> bool:
        """Whether the end was asked for."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Ask for the end; safe in a signal handler of the loop."""
        self._stopping.set()

    async def _watch(self, program: Program) -> None:
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            child = await self._start(program)
            code = await child.wait()
            _kill_group(child.pid, signal.SIGKILL)  # what it may have left behind
            if self._stopping.is_set():
                return
            failures = 0 if time.monotonic() - started > STEADY_S else failures + 1
            self.restarts[program.name] = self.restarts.get(program.name, 0) + 1
            pause_s = BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)]
            log.warning("child ended", extra={"child": program.name, "code": code, "again_in_s": pause_s})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s)

    async def _start(self, program: Program) -> asyncio.subprocess.Process:
        child = await asyncio.create_subprocess_exec(
            *program.command,
            env={**os.environ, **dict(program.environment)},
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=functools.partial(die_with_parent, os.getpid()),
        )
        self.children[program.name] = child
        return child

    async def _end(self, program: Program) -> None:
        child = self.children.get(program.name)
        if child is None or child.returncode is not None:
            return
        _kill(child.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(child.wait(), program.grace_s)
        except TimeoutError:
            log.warning("child did not drain in time", extra={"child": program.name})
        _kill_group(child.pid, signal.SIGKILL)
        await child.wait()  # when we say that all is over, it is


def _kill(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _kill_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
