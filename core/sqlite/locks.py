"""The turnstile: a fair lock between the writing processes of one SQLite file.

SQLite's busy handler polls with sleeps, so a hot writer starves the others for hundreds of milliseconds.
Two flock files make it fair: take *turn*, take *write*, release *turn*; whoever waits holds *turn*, so the
one who just released *write* queues behind him. The kernel drops both when a process dies.
"""

from __future__ import annotations

import fcntl
import os


class Turnstile:
    """One connection's handle on the two lock files beside `database` (not thread-safe, like the connection)."""

    def __init__(self, database: str) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._turn = os.open(database + "-turn", flags, 0o600)
        self._write = os.open(database + "-write", flags, 0o600)
        self.held = False

    def acquire(self) -> None:
        """Wait for the right to write."""
        if self.held:
            return
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._write, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)
        self.held = True

    def release(self) -> None:
        """Let the next writer in; harmless when nothing is held."""
        if self.held:
            self.held = False
            fcntl.flock(self._write, fcntl.LOCK_UN)

    def close(self) -> None:
        """Release and close both files."""
        self.release()
        os.close(self._turn)
        os.close(self._write)
