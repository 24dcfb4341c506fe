"""How long a connection waits for its client: one timer, which follows the deadline lazily while it moves away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Deadline:
    """`over` is called when it passes."""

    def __init__(self, over: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = over
        self._at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def move(self, timeout_s: float) -> None:
        """So far from now."""
        self._at = self._loop.time() + timeout_s
        if self._timer is not None and self._timer.when() > self._at:
            self.stop()
        if self._timer is None:
            self._timer = self._loop.call_at(self._at, self._tick)

    def stop(self) -> None:
        """Nothing is waited for."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        if self._loop.time() < self._at:
            self._timer = self._loop.call_at(self._at, self._tick)
        else:
            self._timer = None
            self._over()
