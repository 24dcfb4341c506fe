"""Whole messages read for what no index and no column knows: exact, slow, a few at a time."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mailaccess.imap.grammar.sets import ranges_of
from mailaccess.imap.search import masks
from mailaccess.imap.search.collation import folded
from mailaccess.imap.search.columns import place_of
from mailaccess.imap.search.reading import Steps
from mailstore.message import body, header
from mailstore.message.structure import Node, structure
from mailstore.search.words import fold
from mailstore.selectors.fetch import beginning, content, fetch_rows

BATCH = 32
"""Messages of a slice: 10 to 20 ms of work."""
BATCH_BYTES = 4 << 20
MAX_TEXT_BYTES = 4 << 20
"""Of one part that are looked at, as in the reading pane (mailstore.message.read)."""
_BYTES = ("uid", "header_length", "codec", "data", "key", "blob_size")


@dataclass(frozen=True, slots=True)
class Letter:
    """The stored bytes, or their beginning up to the end of the header."""

    raw: bytes
    header_length: int


Test = Callable[[Letter], bool]


def in_text(value: str, *, with_header: bool) -> Test:
    """TEXT (with the header) and BODY (without): the decoded fields of every part, and every part that is text."""
    wanted = fold(value.replace("\r\n", "\n"))
    return lambda letter: any(wanted in fold(text) for text in texts(letter.raw, with_header=with_header))


def in_header(name: str, value: str) -> Test:
    """HEADER: a field of that name holds the text; an empty one: it is there."""
    wanted, asked = folded(value), name.encode("ascii", "replace")

    def test(letter: Letter) -> bool:
        found = header.fields(letter.raw, 0, letter.header_length)
        return any(key.lower() == asked and wanted in folded(header.decoded(text)) for key, text in found)

    return test


def texts(raw: bytes, *, with_header: bool) -> Iterator[str]:
    """The texts of a message in their order. Takes any bytes, never raises."""
    root = structure(raw)
    if with_header:
        yield from _fields(raw, root)
    for node in root.walk():
        if node is not root:
            yield from _fields(raw, node)
            yield node.filename  # as people read it: the field has it encoded
        if not node.children and node.message is None and node.type == "text":
            yield body.text(raw, node, MAX_TEXT_BYTES)


def _fields(raw: bytes, node: Node) -> Iterator[str]:
    for name, value in header.fields(raw, node.header_offset, node.body_offset):
        yield f"{name.decode('ascii')}: {header.decoded(value)}"


def matching(folder_id: int, uids: array[int], within: int, test: Test, *, head: bool = False) -> Steps[int]:
    """The messages of `within` that pass the test. With `head` only headers are unpacked."""
    found = bytearray(len(uids))
    for first, last in ranges_of([uids[at] for at in masks.positions(within, len(uids))]):
        at = first
        while at <= last:
            end, following = _slice(folder_id, at, last)
            for uid, header_length, *blob in fetch_rows(folder_id, at, end, _BYTES, limit=BATCH):
                place = place_of(uids, uid)
                if place >= 0:
                    raw = beginning(*blob, length=header_length) if head else content(*blob)
                    found[place] = test(Letter(raw, header_length))
            at = following
            yield False
    return masks.of(found) & within


def _slice(folder_id: int, first: int, last: int) -> tuple[int, int]:
    """The last UID of the next slice, by number and by size, and where to go on."""
    if first == last:
        return last, last + 1
    held = 0
    sizes = fetch_rows(folder_id, first, last, ("uid", "size"), limit=BATCH)
    for place, (uid, size) in enumerate(sizes):
        held += size
        if place and held > BATCH_BYTES:
            return uid - 1, uid
    return (sizes[-1][0], sizes[-1][0] + 1) if len(sizes) == BATCH else (last, last + 1)
