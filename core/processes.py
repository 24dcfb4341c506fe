"""How a serving process lives: it does not outlive the one that started it, and its interpreter is set for its work."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
GC_THRESHOLDS = (20_000, 20, 50)
"""A mail makes some thousand objects and hardly a cycle: Python's own 700 collects several times for each."""
SWITCH_INTERVAL_S = 0.0002
"""How long an event loop may keep the interpreter from the writer thread, which asks for it after every statement."""


def die_with_parent(parent: int) -> None:
    """In a child of process `parent`: ask the kernel (Linux) for SIGKILL when our parent goes, however it goes: no orphan keeps a port or the database.

    The parent is the thread that forked us, so it must be one that lives as long as its process.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it went before we asked
        os.kill(os.getpid(), signal.SIGKILL)


def freeze_loaded() -> None:
    """Call when everything is imported, before threads and forks: what is loaded is never looked through again. A whole
    collection of a loaded Django takes 100 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def tune_interpreter() -> None:
    """`freeze_loaded`, for an event loop with a writer thread beside it."""
    freeze_loaded()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
