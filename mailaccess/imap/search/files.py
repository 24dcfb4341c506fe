"""Columns of large folders on the disk (mailstore.kept_files), so that a process that starts reads what others have read.

A file is believed as far as the database bears it out: it has marks, UIDs with the message that each of them is, and only
what stands before the last mark that is still there counts; one mark that says another thing, as after the database was put
back to an earlier day, and nothing of it does. Frames of zstd carry their own checksum. What the code of columns or
the tables of Unicode would read otherwise has another FORM.
"""

from __future__ import annotations

import functools
import hashlib
import queue
import struct
import sys
import threading
import time
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import zstandard

import mailstore.message
import mailstore.search.words
from mailaccess.imap.search.reading import Column
from mailstore import kept_files
from mailstore.selectors.fetch import rows_by_uid
from mailstore.selectors.folder_state import uidvalidity_of

MIN_ROWS = 2_000
"""Smaller folders are read in 10 ms."""
MAX_BYTES = 32 << 20
"""Of a column that is kept on the disk."""
WAITING = 8
"""Columns that wait for the disk; more are not kept."""
SHRINK_BYTES = 64 << 20
"""After so many bytes written the whole of the files is looked at."""
MARKS = 16
"""Marks spread over a column; the last UIDs have as many again."""
TIDY_S = 3600.0
_HEAD = struct.Struct("<32sqqB?III")
_COUNT = struct.Struct("<I")
_MARK = struct.Struct("<Iqq")
Mark = tuple[int, int, int]
"""A UID, the message, and when that was received: no two messages have all three."""


@functools.cache
def form() -> bytes:
    """What the texts of columns depend on: this code, the tables of Unicode and of traditional characters."""
    facts = [sys.version, sys.byteorder, unicodedata.unidata_version, version("opencc")]
    digest = hashlib.blake2b("\n".join(facts).encode(), digest_size=32)
    words = Path(mailstore.search.words.__file__)
    for folder in (Path(__file__).parent, Path(mailstore.message.__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.read_bytes())
    digest.update(words.read_bytes())
    return digest.digest()


def load(folder_id: int, name: str) -> Column | None:
    """A column as far as it is proven, None for none. NOT_FOUND when the folder is gone."""
    data = kept_files.read(folder_id, name)
    if data is None:
        return None
    found = _decoded(folder_id, name, data)
    proven = _proven(folder_id, *found) if found is not None else None
    if proven is None:
        kept_files.forget(folder_id, name)
    return proven


def count(folder_id: int, name: str) -> int:
    """How many messages a file says it has, 0 for none; nothing is proven."""
    data = kept_files.read(folder_id, name, limit=_COUNT.size)
    return _COUNT.unpack(data)[0] if data is not None and len(data) == _COUNT.size else 0


def marks(folder_id: int, uids: array[int]) -> list[Mark]:
    """Of a column that was just read."""
    last = len(uids) - 1
    places = {last * step // MARKS for step in range(MARKS)} | set(range(max(0, last - MARKS), last + 1))
    return _asked(folder_id, [uids[at] for at in sorted(places)])


def encoded(folder_id: int, uidvalidity: int, name: str, column: Column, known: Sequence[Mark]) -> bytes:
    """The bytes of a file."""
    label = name.encode("utf-8", "replace")
    body = column.lines if column.numbers is None else column.numbers.tobytes()
    has_numbers = column.numbers is not None
    head = _HEAD.pack(form(), folder_id, uidvalidity, len(known), has_numbers, len(label), len(column.uids), len(body))
    parts = (head, label, *(_MARK.pack(*mark) for mark in known), column.uids.tobytes(), body)
    frame = zstandard.ZstdCompressor(level=1, write_checksum=True).compress(b"".join(parts))
    return _COUNT.pack(len(column.uids)) + frame


def _decoded(folder_id: int, name: str, data: bytes) -> tuple[int, list[Mark], Column] | None:
    """UIDVALIDITY, marks and column; None for what is no whole file of this column."""
    try:
        limit, data = MAX_BYTES * 2, data[_COUNT.size :]
        if zstandard.frame_content_size(data) not in range(_HEAD.size, limit):
            return None
        raw = zstandard.ZstdDecompressor().decompress(data, max_output_size=limit)
    except zstandard.ZstdError:
        return None
    made_by, folder, uidvalidity, mark_count, has_numbers, label_size, count, size = _HEAD.unpack_from(raw)
    label_at = _HEAD.size
    marks_at = label_at + label_size
    uids_at = marks_at + mark_count * _MARK.size
    body_at = uids_at + 4 * count
    is_ours = (made_by, folder) == (form(), folder_id) and raw[label_at:marks_at] == name.encode("utf-8", "replace")
    if not is_ours or len(raw) != body_at + size:
        return None
    uids = array("I", raw[uids_at:body_at])
    known = list(_MARK.iter_unpack(raw[marks_at:uids_at]))
    if not has_numbers:
        return uidvalidity, known, Column(uids, raw[body_at:])
    return uidvalidity, known, Column(uids, numbers=array("q", raw[body_at:]))


def _proven(folder_id: int, uidvalidity: int, known: Sequence[Mark], column: Column) -> Column | None:
    if uidvalidity_of(folder_id) != uidvalidity:
        return None
    expected = {mark[0]: mark for mark in known}
    found = _asked(folder_id, sorted(expected))
    if not found or any(expected[mark[0]] != mark for mark in found):
        return None
    return column.first(bisect_right(column.uids, found[-1][0]))


def _asked(folder_id: int, uids: Sequence[int]) -> list[Mark]:
    return [(row[0], row[1], row[2]) for row in rows_by_uid(folder_id, uids, ("uid", "message", "received_us"))]


def tidy() -> None:
    """Once an hour: what is too old, too much, or of a folder that is gone."""
    now = time.monotonic()
    if now >= _tidied[0] + TIDY_S:
        _tidied[0] = now
        kept_files.shrink()
        kept_files.forget_strangers()


_tidied = [-TIDY_S]


class Saver:
    """Writes columns on a thread of its own: nobody's answer waits for the disk."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[int, int, str, Column, Sequence[Mark]]] = queue.Queue(WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._written = 0

    def save(self, folder_id: int, name: str, column: Column) -> bool:
        """Take a column that the caller has read of the database just now; False when it is not kept. NOT_FOUND when the
        folder is gone."""
        if self._waiting.full() or column.size > MAX_BYTES:
            return False
        job = (folder_id, uidvalidity_of(folder_id), name, column, marks(folder_id, column.uids))
        try:
            self._waiting.put_nowait(job)
        except queue.Full:
            return False
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="columns", daemon=True)
                self._thread.start()
        return True

    def flush(self) -> None:
        """Wait until everything is written."""
        self._waiting.join()

    def _run(self) -> None:
        while True:
            folder_id, uidvalidity, name, column, known = self._waiting.get()
            try:
                data = encoded(folder_id, uidvalidity, name, column, known)
                if kept_files.write(folder_id, name, data):
                    self._written += len(data)
                if self._written > SHRINK_BYTES:
                    self._written = 0
                    kept_files.shrink()
            finally:
                del column
                self._waiting.task_done()


saver = Saver()
