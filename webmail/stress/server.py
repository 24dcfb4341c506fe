"""The server under load: Redis and imapd of a temporary installation; imapd dies and is started again."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Callable
from types import TracebackType

from django.conf import settings

from webmail.serve.prepare import redis_folder
from webmail.serve.programs import redis_command
from webmail.soak.processes import answers

READY_S = 180.0
STOP_S = 30.0


class Server:
    """`with Server(…) as server`; `seldom_kill` is an `Interrupt` of a run."""

    def __init__(self, chance: random.Random, *, kill_chance: float) -> None:
        self._chance = chance
        self._kill_chance = kill_chance
        self._redis: subprocess.Popen[bytes] | None = None
        self._imapd: subprocess.Popen[bytes] | None = None
        self.log = settings.DATA_DIR / "imapd.log"
        self.kills = 0

    def __enter__(self) -> Server:
        """Start both; raises TimeoutError."""
        if settings.OWN_REDIS:
            redis_folder()
            self._redis = subprocess.Popen(redis_command())  # noqa: S603
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop both."""
        for process in (self._imapd, self._redis):
            if process is not None:
                process.terminate()
                try:
                    process.wait(STOP_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def start(self) -> None:
        """Start imapd and wait until it answers."""
        with self.log.open("ab") as log:
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "imapd"]
            self._imapd = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603
        deadline = time.monotonic() + READY_S
        while not answers(settings.IMAPS_PORT):
            if time.monotonic() > deadline:
                raise TimeoutError("imapd did not answer")
            time.sleep(0.1)

    async def seldom_kill(self, killed: Callable[[], None]) -> None:
        """kill -9 with some chance, in the middle of everything; `killed` is called before the next one is started."""
        if self._chance.random() >= self._kill_chance:
            return
        await asyncio.sleep(self._chance.random())
        assert self._imapd is not None
        self._imapd.kill()
        self._imapd.wait()
        self.kills += 1
        killed()
        await asyncio.get_running_loop().run_in_executor(None, self.start)

    def complaints(self) -> list[str]:
        """Lines of the log that should not be there."""
        return [line for line in self.log.read_text().splitlines() if line]
