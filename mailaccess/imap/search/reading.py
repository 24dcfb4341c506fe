"""One thing of all messages of a folder, and how it is read: in pieces, each taken by whoever asks next.

Several sessions that ask for the same thing carry on one reading, so that a hundred programs opening a large folder cost what
one does; none of them owns it, so a client that stops listening holds up nobody.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, TypeVar

from mailstore.selectors.fetch import fetch_rows

CHUNK_ROWS = 4_000
"""Rows read before others have their turn: 10 to 40 ms."""
EMPTY = array("I")

T = TypeVar("T")
Steps = Generator[bool, None, T]
"""Work in slices: each `yield` lets others have the thread, and says whether somebody else has to come first."""


@dataclass(frozen=True, slots=True)
class Source:
    """How a column is made: columns of `mailstore.selectors.fetch`, and the texts (or numbers) of some rows."""

    columns: tuple[str, ...]
    texts: Callable[[Sequence[Any]], Iterable[str]] | None = None
    form: Callable[[str], str] = str
    """In which texts are compared; asked once for many, because it costs by the call."""
    numbers: Callable[[Sequence[Any]], Iterable[int]] | None = None
    chunk_rows: int = CHUNK_ROWS
    parse: Callable[[Sequence[Any]], Sequence[Any]] | None = None
    """What makes of the rows what `texts` takes: once for all columns that name the same one."""


@dataclass(frozen=True, slots=True)
class Column:
    """One thing of all messages in `uids`: lines, each with its end, or numbers."""

    uids: array[int]
    lines: bytes = b""
    numbers: array[int] | None = None

    @property
    def size(self) -> int:
        """Bytes held."""
        return 4 * len(self.uids) + len(self.lines) + 8 * len(self.numbers or ())

    def aligned(self, uids: array[int]) -> Column:
        """The same for exactly these UIDs: an empty line, or 0, for one that is not here."""
        if self.uids == uids:
            return self
        if self.numbers is not None:
            known = dict(zip(self.uids, self.numbers, strict=True))
            return Column(uids, numbers=array("q", [known.get(uid, 0) for uid in uids]))
        lines = self.lines.split(b"\n")
        found = list(compress(lines, map(set(uids).__contains__, self.uids)))
        if len(found) == len(uids):  # some have left
            return Column(uids, b"\n".join([*found, b""]))
        by_uid = dict(zip(self.uids, lines, strict=False))
        return Column(uids, b"".join([by_uid.get(uid, b"") + b"\n" for uid in uids]))

    def first(self, count: int) -> Column:
        """The same for the first `count` messages alone."""
        if count >= len(self.uids):
            return self
        if self.numbers is not None:
            return Column(self.uids[:count], numbers=self.numbers[:count])
        return Column(self.uids[:count], b"".join(line + b"\n" for line in self.lines.split(b"\n", count)[:count]))


def empty(source: Source) -> Column:
    """A column of no message."""
    return Column(EMPTY, numbers=array("q") if source.numbers else None)


class Reading:
    """Columns made of the same rows, being read up to the UID `last`. Threads may share it."""

    def __init__(
        self,
        folder_id: int,
        first: int,
        last: int,
        begun: Sequence[tuple[str, Source, Column]],
        done: Callable[[int, Mapping[str, Column]], None],
    ) -> None:
        """`begun`: what is known of each column, which ends before UID `first`. `done` is given the folder's whole columns
        before anybody sees them."""
        self.folder_id = folder_id
        self.last = last
        self.columns: Mapping[str, Column] = {}
        """By name, when `is_done`."""
        self._first = first
        self._sources = [(name, source) for name, source, _ in begun]
        self._pieces = [[known] for _, _, known in begun]
        self._done = done
        self._turn = threading.Lock()

    @property
    def is_done(self) -> bool:
        """Whether `columns` are there."""
        return bool(self.columns)

    def step(self) -> bool:
        """Read one more piece; False when somebody else is reading it."""
        if not self._turn.acquire(blocking=False):
            return False
        try:
            if not self.is_done:
                self._read()
        finally:
            self._turn.release()
        return True

    def _read(self) -> None:
        _, source = self._sources[0]
        rows: Sequence[Any] = ()
        if self._first <= self.last:
            rows = fetch_rows(self.folder_id, self._first, self.last, ("uid", *source.columns), limit=source.chunk_rows)
        if rows:
            parsed = {each: each(rows) if each else rows for each in {source.parse for _, source in self._sources}}
            made = [_made(parsed[source.parse], source) for _, source in self._sources]
            for pieces, piece in zip(self._pieces, made, strict=True):
                pieces.append(piece)
            self._first = rows[-1][0] + 1
        if not rows or self._first > self.last:
            names = [name for name, _ in self._sources]
            columns = dict(zip(names, map(_joined, self._pieces), strict=True))
            self._done(self.folder_id, columns)
            self.columns = columns


def _made(rows: Sequence[Any], source: Source) -> Column:
    uids = array("I", [row[0] for row in rows])
    if source.numbers is not None:
        return Column(uids, numbers=array("q", source.numbers(rows)))
    assert source.texts is not None
    # No text of a header has a line end, and no form makes one.
    return Column(uids, (source.form("\n".join(source.texts(rows))) + "\n").encode("utf-8", "replace"))


def _joined(parts: Sequence[Column]) -> Column:
    if len(parts) == 1:
        return parts[0]
    uids = array("I")
    numbers = array("q") if parts[0].numbers is not None else None
    for part in parts:
        uids += part.uids
        if numbers is not None and part.numbers is not None:
            numbers += part.numbers
    return Column(uids, b"".join(part.lines for part in parts), numbers)
