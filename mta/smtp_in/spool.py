"""Where the bytes of a large message lie while it arrives: a file without a name, so that a crash leaves nothing.

However slowly and over however many connections large mails come, each holds a megabyte of memory. They are read back
one at a time, when they are whole.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from django.conf import settings

AFTER_BYTES = 1024 * 1024
"""What is held in memory before a message goes to the disk."""


class Spool:
    """One message's file; made on the first write. A full disk raises OSError."""

    def __init__(self) -> None:
        self._descriptor = -1
        self.size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append."""
        if self._descriptor < 0:
            self._descriptor = _nameless()
        view = memoryview(data)
        while view:
            written = os.write(self._descriptor, view)
            self.size += written
            view = view[written:]

    def read(self) -> bytes:
        """All of it, in one piece."""
        if not self.size:
            return b""
        content = bytearray(self.size)
        view, at = memoryview(content), 0
        while at < self.size:
            count = os.preadv(self._descriptor, [view[at:]], at)
            if not count:
                raise OSError("the spool is shorter than what was written")
            at += count
        view.release()
        return bytes(content)

    def close(self) -> None:
        """The file is gone."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self.size = -1, 0

    def __del__(self) -> None:
        self.close()


def _nameless() -> int:
    """A file in DATA_DIR/spool that has no name (O_TMPFILE), or none any more where that isn't known."""
    folder = settings.DATA_DIR / "spool"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except (OSError, AttributeError):
        descriptor, path = tempfile.mkstemp(dir=folder)
        Path(path).unlink()
        return descriptor
