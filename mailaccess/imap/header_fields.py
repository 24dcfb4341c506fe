"""The header fields that programs keep lists of, as a process remembers them.

A program asks for the same few fields of every message of a folder, again in each of its windows and on each device.
A message never changes under its UID, so what was read once stays true: it is kept in pieces of CHUNK UIDs, compressed,
those not used for longest dropped beyond MAX_BYTES. A piece says nothing about which messages there are: whoever asks has
their UIDs from the database, and needs the right to read the folder, which its SELECT looked at.
"""

from __future__ import annotations

import dataclasses
import threading
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import zstandard

from mailaccess.imap.section import fields_in, told
from mailstore.selectors.fetch import HEAD_COLUMNS, beginnings, fetch_rows

MAX_BYTES = 48 << 20
"""Of all pieces of a process. Six fields of a mail take about 130 bytes."""
CHUNK_BITS = 8
CHUNK = 1 << CHUNK_BITS
WORTH_KEEPING = 32
"""Messages read at once; to take apart and put together a piece for fewer costs more than to read them again."""
PIECE_MAX_BYTES = 1 << 20
"""Of texts; longer ones are read each time."""
READ_BYTES = 4 << 20
"""Of headers that are looked through in one go, and one more."""
LEVEL = 1
_END = b"\0"
"""Of a text: none has a NUL (RFC 9051 4.3)."""
_ROOM_BYTES = 400
"""Of a piece's objects."""

Key = tuple[int, int, bytes]
"""Folder, UID >> CHUNK_BITS, the names."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Piece:
    uids: array[int]
    packed: bytes

    @classmethod
    def of(cls, texts: Mapping[int, bytes]) -> _Piece:
        packed = zstandard.ZstdCompressor(level=LEVEL).compress(_END.join(texts.values()))
        return cls(array("I", texts), packed)

    def texts(self) -> dict[int, bytes]:
        texts = zstandard.ZstdDecompressor().decompress(self.packed).split(_END)
        return dict(zip(self.uids, texts, strict=True))


class HeaderFields:
    """One for each process. Used on database threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, _Piece] = OrderedDict()
        self._size = 0

    def texts(self, folder_id: int, uids: Sequence[int], names: frozenset[bytes]) -> tuple[dict[int, bytes], int]:
        """UID to the fields with these names (in capitals) and the empty line, as a literal may hold them; and the UID that
        was not looked at any more, because much was read, or 0. `uids` ascend, and no other message of the folder lies
        between them; one that is gone is left out. Texts of others may be there too."""
        found: dict[int, bytes] = {}
        written = b" ".join(sorted(names))
        for number, part in _parts(uids):
            after = self._into(found, (folder_id, number, written), part, names)
            if after:
                return found, after
        return found, 0

    def forget(self) -> None:
        """Forget everything (tests)."""
        with self._lock:
            self._kept.clear()
            self._size = 0

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._size

    def _into(self, found: dict[int, bytes], key: Key, uids: Sequence[int], names: frozenset[bytes]) -> int:
        piece = self._get(key)
        known = piece.texts() if piece is not None else {}
        missing = set(uids).difference(known)
        after = 0
        if missing:
            read, after = _read(key[0], min(missing), max(missing), names)
            known.update(read)
            if len(read) >= WORTH_KEEPING and sum(map(len, known.values())) <= PIECE_MAX_BYTES:
                self._put(key, _Piece.of(known))
        found.update(known)
        return after

    def _get(self, key: Key) -> _Piece | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def _put(self, key: Key, piece: _Piece) -> None:
        with self._lock:
            before = self._kept.pop(key, None)
            self._kept[key] = piece
            self._size += _size(key, piece) - (_size(key, before) if before is not None else 0)
            while self._size > MAX_BYTES:
                self._size -= _size(*self._kept.popitem(last=False))


header_fields = HeaderFields()


def whole_pieces(rows: Sequence[Any]) -> Sequence[Any]:
    """Rows of more than one piece, each beginning with its UID, behind which others may follow: without those of a last
    piece that is not whole."""
    after = rows[-1][0] + 1
    return rows[: bisect_left(rows, after & -CHUNK, key=_uid)]


def _uid(row: Any) -> int:
    uid: int = row[0]
    return uid


def _parts(uids: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    begin = 0
    while begin < len(uids):
        number = uids[begin] >> CHUNK_BITS
        end = bisect_left(uids, number + 1 << CHUNK_BITS, begin)
        yield number, uids[begin:end]
        begin = end


def _read(folder_id: int, first: int, last: int, names: frozenset[bytes]) -> tuple[dict[int, bytes], int]:
    rows = fetch_rows(folder_id, first, last, ("uid", *HEAD_COLUMNS), limit=CHUNK)
    found: dict[int, bytes] = {}
    held = 0
    for row, head in zip(rows, beginnings(row[1:] for row in rows), strict=True):
        found[row[0]] = told(fields_in(head, names))
        held += len(head)
        if held > READ_BYTES:
            return found, row[0] + 1
    return found, 0


def _size(key: Key, piece: _Piece) -> int:
    return len(key[2]) + 4 * len(piece.uids) + len(piece.packed) + _ROOM_BYTES
