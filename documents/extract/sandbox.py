"""Reads files in a child process that is bounded in memory, time and rights, and replaced when it dies.

A hostile file costs its own text and TIMEOUT_S, never the worker. The child is kept between files (starting one costs
half a second) and ended after FILES_MAX of them, so that nothing a reader leaks lives long.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

from documents.filetype import extension_of

TIMEOUT_S = 10.0
"""For one file."""
START_S = 60.0
"""For the child to begin: the libraries' first import compiles them."""
FILES_MAX = 200
MAX_FILE_BYTES = 20 << 20
MAX_ANSWER_BYTES = 4 << 20

_EXTENSIONS = frozenset(
    {
        "pdf",
        "docx",
        "xlsx",
        "xlsm",
        "pptx",
        "txt",
        "csv",
        "tsv",
        "md",
        "log",
        "html",
        "htm",
        "json",
        "xml",
        "ics",
        "vcf",
    }
)
_TYPES = ("text/", "application/pdf", "application/vnd.openxmlformats-officedocument.", "application/json")
_ROOT = Path(__file__).resolve().parent.parent.parent


def is_readable(name: str, claimed: str, size_bytes: int) -> bool:
    """Whether a file may hold text that we read; the child decides by its content."""
    if not 0 < size_bytes <= MAX_FILE_BYTES:
        return False
    return extension_of(name) in _EXTENSIONS or claimed.startswith(_TYPES)


class Sandbox:
    """One child, one file at a time (a lock holds it). Use several for several at once."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self.timeout_s = timeout_s
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._files = 0

    def text(self, name: str, content: bytes) -> str:
        """The text of a file; empty when it has none, is too large, takes too long or kills its reader. Never raises
        for what the file holds."""
        if len(content) > MAX_FILE_BYTES:
            return ""
        with self._lock:
            try:
                answer = self._ask(name, content)
            except (OSError, EOFError, TimeoutError):
                self._end()
                return ""
            self._files += 1
            if self._files >= FILES_MAX:
                self._end()
            return answer.decode("utf-8", "replace").replace("\0", "")

    def close(self) -> None:
        """End the child; the next file starts another."""
        with self._lock:
            self._end()

    def _ask(self, name: str, content: bytes) -> bytes:
        child = self._started()
        deadline = time.monotonic() + self.timeout_s
        assert child.stdin is not None
        assert child.stdout is not None
        label = name.encode("utf-8", "replace")[:1_000]
        question = len(label).to_bytes(4, "big") + label + len(content).to_bytes(8, "big") + content
        _write(child.stdin.fileno(), question, deadline)
        length = int.from_bytes(_read(child.stdout.fileno(), 4, deadline), "big")
        if length > MAX_ANSWER_BYTES:
            raise EOFError
        return _read(child.stdout.fileno(), length, deadline)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._end()
            self._child = subprocess.Popen(
                [sys.executable, "-m", "documents.extract.child"],
                cwd=_ROOT,
                # Nothing of our environment: it may hold keys.
                env={"PATH": os.defpath, "PYTHONPATH": str(_ROOT), "LANG": "C.UTF-8"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            assert self._child.stdin is not None
            assert self._child.stdout is not None
            os.set_blocking(self._child.stdin.fileno(), False)
            _read(self._child.stdout.fileno(), 1, time.monotonic() + START_S)
        return self._child

    def _end(self) -> None:
        child, self._child, self._files = self._child, None, 0
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _write(descriptor: int, data: bytes, deadline: float) -> None:
    left = memoryview(data)
    while left:
        _wait([], [descriptor], deadline)
        with contextlib.suppress(BlockingIOError):
            left = left[os.write(descriptor, left) :]


def _read(descriptor: int, length: int, deadline: float) -> bytes:
    found = bytearray()
    while len(found) < length:
        _wait([descriptor], [], deadline)
        piece = os.read(descriptor, min(1 << 20, length - len(found)))
        if not piece:
            raise EOFError
        found += piece
    return bytes(found)


def _wait(reading: list[int], writing: list[int], deadline: float) -> None:
    left_s = deadline - time.monotonic()
    if left_s <= 0 or not any(select.select(reading, writing, [], left_s)):
        raise TimeoutError
