"""One process's ear on the change feed: who waits for a mailbox is woken when its modseq rises.

Hints come over Redis; without it, and always besides, the modseq of every mailbox that somebody waits for is compared
in the tables every RESYNC_S. A hint wakes; what changed is read from the tables by whoever was woken.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import redis

from core import changes, dbthread
from mailstore.selectors.folders import modseq_of

RECONNECT_S = 3.0

Wake = Callable[[], None]


class Feed:
    """Runs its tasks from the first `listen` to `close`: a subscription that came and went with its listeners would
    miss what happens while it begins. Belongs to one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[int, set[Wake]] = {}
        self._seen: dict[int, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._ending: set[asyncio.Task[None]] = set()

    def listen(self, mailbox: int, wake: Wake) -> None:
        """Call `wake` on the event loop whenever `mailbox` changes."""
        self._waiting.setdefault(mailbox, set()).add(wake)
        if not self._tasks or any(task.done() for task in self._tasks):
            self.close()
            self._tasks = [asyncio.create_task(work()) for work in (self._subscribe, self._compare)]

    def leave(self, mailbox: int, wake: Wake) -> None:
        """Take back a `listen`."""
        waiting = self._waiting.get(mailbox, set())
        waiting.discard(wake)
        if not waiting:
            self._waiting.pop(mailbox, None)
            self._seen.pop(mailbox, None)

    def is_heard(self, mailbox: int) -> bool:
        """Whether somebody waits for a mailbox."""
        return mailbox in self._waiting

    def close(self) -> None:
        """Stop the tasks."""
        for task in self._tasks:
            task.cancel()
            if not task.done():
                self._ending.add(task)  # the loop alone would forget it before it has cleaned up
                task.add_done_callback(self._ending.discard)
        self._tasks = []

    def hint(self, mailbox: int, modseq: int) -> None:
        """A mailbox has reached a modseq."""
        if mailbox in self._waiting and modseq > self._seen.get(mailbox, 0):
            self._seen[mailbox] = modseq
            for wake in list(self._waiting[mailbox]):
                wake()

    async def _subscribe(self) -> None:
        while True:
            with contextlib.suppress(redis.RedisError, OSError):
                async with contextlib.aclosing(changes.subscribe()) as subscription:
                    async for hints in subscription:
                        if not hints:
                            self._wake_all()  # nothing was heard until now
                        for mailbox, modseq in hints:
                            self.hint(mailbox, modseq)
            await asyncio.sleep(RECONNECT_S)

    def _wake_all(self) -> None:
        for waiting in list(self._waiting.values()):
            for wake in list(waiting):
                wake()

    async def _compare(self) -> None:
        while True:
            await asyncio.sleep(changes.RESYNC_S)
            if not self._waiting:
                continue
            for mailbox, modseq in (await dbthread.run(modseq_of, sorted(self._waiting))).items():
                self.hint(mailbox, modseq)
