"""FETCH answers from rows of the store, chunk by chunk, so that no mailbox is ever held (RFC 9051 7.5.2).

What a row needs is known before the first query: flags alone come from the folder's index, metadata from two tables,
bytes from a third. Runs on database threads; between two chunks the connection waits for its client.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.access import Right
from mailaccess.imap.errors import NoError
from mailaccess.imap.flags import LineEnds, state_of
from mailaccess.imap.folder_index import Snapshot, index
from mailaccess.imap.grammar.fetch import Item, Section
from mailaccess.imap.grammar.strings import literal
from mailaccess.imap.header_fields import CHUNK, header_fields, whole_pieces
from mailaccess.imap.section import Letter, UnknownEncodingError
from mailaccess.imap.values import (
    AS_SECTION,
    NEEDS,
    body_literal,
    fields_writer,
    is_fields,
    partial,
    row_writer,
    shows_body,
)  # fmt: skip
from mailaccess.imap.view import Ranges, View
from mailstore.message.envelope import bodystructure
from mailstore.models import Flag
from mailstore.selectors.fetch import CHUNK_ROWS, HEAD_COLUMNS, beginning, content, fetch_rows, still_in
from mailstore.selectors.folder_state import changed_ranges, cut
from mailstore.services.entries import holding, set_flags
from mta.services.monitoring import note_views
from mta.services.openings import is_recallable, note_opened

LETTERS_CHUNK = 64
HEADS_CHUNK = 200
"""Mails whose packed bytes are held at once while their header blocks are read."""
LETTERS_BYTES = 4 << 20
"""Bytes of mail in one chunk, and of an answer in one piece; a larger mail is one of its own."""
FIELDS_CHUNK = 3 * CHUNK
"""Mails whose header fields are told at once."""
LINES_CHUNK = 5_000


@dataclass(slots=True)
class Fetcher:
    """One FETCH of one session."""

    view: View
    items: Sequence[Item]
    changed_since: int = 0
    with_modseq: bool = False
    """CONDSTORE: an answer that tells flags tells the modseq too."""
    columns: list[str] = field(default_factory=list)
    marks_seen: bool = False
    is_heads_only: bool = False
    is_fields_only: bool = False
    """Of the bytes only fields are wanted that are remembered: rows have none."""
    shows_bodies: bool = False
    told: int = 0
    """Messages whose answer was made."""
    _fields: dict[Item, dict[int, bytes]] = field(default_factory=dict)
    """What `is_fields_only` asks for, of the rows at hand."""
    _letter: tuple[int, Letter] | None = None
    _opened: set[int] = field(default_factory=set)
    """Colleagues' mails of this piece: noted before it is sent, so that a recall knows."""
    _viewed: set[int] = field(default_factory=set)
    """Mails of this piece that a monitor may be looking at."""

    def __post_init__(self) -> None:
        items = list(self.items)
        names = {item.name for item in items}
        if self.changed_since and b"MODSEQ" not in names:
            items.append(Item(b"MODSEQ"))
        self.marks_seen = (
            any(item.marks_seen for item in items) and not self.view.read_only and self.view.access.may(Right.FLAG)
        )
        self.items = items
        wanted = ["uid", "entry"] if self.marks_seen else ["uid"]
        if self.marks_seen:
            wanted += ["flags", "keywords", "modseq"]
        letter_items = [item for item in items if item.name not in NEEDS]
        self.is_fields_only = bool(letter_items) and all(map(is_fields, letter_items))
        for item in items:
            wanted += NEEDS.get(item.name, () if self.is_fields_only else HEAD_COLUMNS)
        self.is_heads_only = not self.is_fields_only and self._needs_heads_only()
        self.shows_bodies = any(shows_body(item) for item in items)
        if self.shows_bodies:
            wanted.append("message")
        self.columns = list(dict.fromkeys(wanted))

    def _needs_heads_only(self) -> bool:
        """Whether of the bytes only header blocks are wanted: most of a mail is not even unpacked then."""
        sections = [item.section or AS_SECTION.get(item.name) for item in self.items if item.name not in NEEDS]
        return bool(sections) and all(
            each is not None and not each.part and each.text.startswith("HEADER") for each in sections
        )

    @property
    def is_flags_only(self) -> bool:
        """Whether the folder's index knows all of it."""
        return {item.name for item in self.items} <= {b"UID", b"FLAGS"}

    def chunks(self, ranges: Ranges) -> Iterator[bytes]:
        """The answer in pieces; each `next` is one piece of database work."""
        if self.columns == ["uid"] and not self.changed_since and not self.is_fields_only:
            yield from self._lines_from_view(ranges)
            return
        if self.is_flags_only and sum(last - first for first, last in ranges) > CHUNK_ROWS // 10:
            yield from self._lines_from_index(ranges)
            return
        if self.changed_since:
            ranges = cut(ranges, changed_ranges(self.view.folder_id, self.changed_since))
        for first, last in ranges:
            at = first
            while at <= last:
                rows, at = self._rows(at, last)
                if rows:
                    yield from self._lines(rows)

    # Rows -----------------------------------------------------------------------------------------

    def _rows(self, first: int, last: int) -> tuple[Sequence[Any], int]:
        """The next rows, and the UID to go on with."""
        folder, since = self.view.folder_id, self.changed_since
        limit = CHUNK_ROWS
        if self.is_fields_only:
            return self._rows_with_fields(first, last)
        if self.is_heads_only:
            limit = HEADS_CHUNK
        elif "data" in self.columns:
            limit = LETTERS_CHUNK
            if first < last:
                last, after = self._cut(first, last)
                rows = fetch_rows(folder, first, last, self.columns, after_modseq=since, limit=limit)
                return rows, after
        rows = fetch_rows(folder, first, last, self.columns, after_modseq=since, limit=limit)
        return rows, rows[-1][0] + 1 if len(rows) == limit else last + 1

    def _rows_with_fields(self, first: int, last: int) -> tuple[Sequence[Any], int]:
        rows: Sequence[Any] = fetch_rows(
            self.view.folder_id, first, last, self.columns, after_modseq=self.changed_since, limit=FIELDS_CHUNK
        )
        is_more = len(rows) == FIELDS_CHUNK
        rows = whole_pieces(rows) if is_more else rows
        after = rows[-1][0] + 1 if is_more else last + 1
        for item in filter(is_fields, self.items):
            assert item.section is not None
            names = frozenset(item.section.fields)
            found, stopped = header_fields.texts(self.view.folder_id, [row[0] for row in rows], names)
            after = stopped or after
            rows = [row for row in rows if row[0] < after and row[0] in found]
            self._fields[item] = found
        return rows, after

    def _cut(self, first: int, last: int) -> tuple[int, int]:
        """Where the chunk that begins at `first` ends, by size; and where the next begins."""
        sizes = fetch_rows(
            self.view.folder_id, first, last, ("uid", "size"), after_modseq=self.changed_since, limit=LETTERS_CHUNK
        )
        held = 0
        for place, (uid, size) in enumerate(sizes):
            held += size
            if held > LETTERS_BYTES and place:
                return uid - 1, uid
        if len(sizes) < LETTERS_CHUNK:
            return last, last + 1
        return sizes[-1][0], sizes[-1][0] + 1

    def _lines(self, rows: Sequence[Any]) -> Iterator[bytes]:
        place = {name: number for number, name in enumerate(self.columns)}
        seen = self._mark_seen(rows, place) if self.marks_seen else {}
        writers = [self._writer(item, place) for item in self.items]
        tells_flags, tells_modseq = (any(item.name == name for item in self.items) for name in (b"FLAGS", b"MODSEQ"))
        lines: list[bytes] = []
        size = 0
        for number, row in zip(self.view.numbers_of([row[0] for row in rows]), rows, strict=True):
            if not number:
                continue
            new = seen.get(row[0])
            shown = _with_state(row, place, new) if new is not None else row
            values = [write(shown) for write in writers]
            if new is not None and not tells_flags:
                values.append(self._flags(shown, place))
            if new is not None and self.with_modseq and not tells_modseq:
                values.append(b"MODSEQ (%d)" % shown[place["modseq"]])
            line = b"* %d FETCH (%b)\r\n" % (number, b" ".join(values))
            lines.append(line)
            size += len(line)
            if size > LETTERS_BYTES:
                yield self._piece(lines)
                lines, size = [], 0
        yield self._piece(lines)

    def _piece(self, lines: list[bytes]) -> bytes:
        """Lines that are sent; who may have been waiting for that is noted before."""
        self.told += len(lines)
        note_opened(self._opened)
        note_views(self.view.access, self._viewed, protocol="imap")
        self._opened.clear()
        self._viewed.clear()
        return self.view.flag_names.announcement() + b"".join(lines)

    def _mark_seen(self, rows: Sequence[Any], place: dict[str, int]) -> dict[int, tuple[int, int, int]]:
        """Set \\Seen on what is delivered; UID to (flags, keywords, modseq) of those that hadn't it when they were fetched."""
        fresh = [row[place["entry"]] for row in rows if not row[place["flags"]] & Flag.SEEN]
        if not fresh:
            return {}
        with holding(self.view.access):
            here = still_in(self.view.folder_id, fresh)
            if not here:
                return {}
            changed = set_flags(self.view.access, [row[0] for row in here], add=Flag.SEEN)
        found = {}
        for _, uid, flags, keywords, before in here:
            # Others may have read it since the rows were fetched: it keeps its modseq.
            modseq = before if flags & Flag.SEEN else changed.modseq
            found[uid] = (flags | int(Flag.SEEN), keywords, modseq)
            self.view.own_changes[uid] = state_of(flags | int(Flag.SEEN), keywords)
        return found

    # Values ---------------------------------------------------------------------------------------

    def _writer(self, item: Item, place: dict[str, int]) -> Callable[[Any], bytes]:
        simple = self._simple(item.name, place)
        if simple is not None:
            return simple
        if self.is_fields_only:
            return fields_writer(item, self._fields[item])
        at = [place[name] for name in HEAD_COLUMNS]
        shown = self._from_letter(item)

        def write(row: Any) -> bytes:
            # A row's items share its bytes: clients ask for the header and for parts in one FETCH.
            if self._letter is None or self._letter[0] != row[0]:
                header_length, codec, data, key, size = (row[number] for number in at)
                if self.is_heads_only:
                    raw = beginning(codec, data, key, size, length=header_length)
                else:
                    raw = content(codec, data, key, size)
                    if self.shows_bodies and self.view.read_only:
                        self._viewed.add(row[place["message"]])
                    if self.shows_bodies and is_recallable(raw):
                        self._opened.add(row[place["message"]])
                self._letter = (row[0], Letter(raw, header_length))
            return shown(self._letter[1])

        return write

    def _simple(self, name: bytes, place: dict[str, int]) -> Callable[[Any], bytes] | None:
        if name == b"UID":
            return lambda row: b"UID %d" % row[0]
        if name == b"FLAGS":
            return lambda row: self._flags(row, place)
        return row_writer(name, place[NEEDS[name][0]]) if name in NEEDS else None

    def _flags(self, row: Any, place: dict[str, int]) -> bytes:
        state = state_of(row[place["flags"]], row[place["keywords"]])
        return f"FLAGS ({self.view.flags_text(row[0], state)})".encode()

    def _from_letter(self, item: Item) -> Callable[[Letter], bytes]:
        if item.name == b"BODY" and item.section is None:
            return lambda letter: b"BODY " + bodystructure(letter.raw, letter.root, extended=False).encode()
        section = item.section or AS_SECTION[item.name]
        if item.name.startswith(b"BINARY"):
            return lambda letter: self._binary(item, section, letter)
        label = item.label() + b" "

        def shown(letter: Letter) -> bytes:
            value = letter.section(section)
            return label + (b"NIL" if value is None else body_literal(partial(value, item)))

        return shown

    def _binary(self, item: Item, section: Section, letter: Letter) -> bytes:
        try:
            value = letter.decoded(section)
        except UnknownEncodingError:
            raise NoError("UNKNOWN-CTE", "The part has an unknown transfer encoding") from None
        if item.name == b"BINARY.SIZE":
            return item.label() + b" %d" % len(value or b"")
        if value is None:
            return item.label() + b" NIL"
        value = partial(value, item)
        return item.label() + b" " + (b"~" if b"\0" in value else b"") + literal(value)

    # UIDs alone -----------------------------------------------------------------------------------

    def _lines_from_view(self, ranges: Ranges) -> Iterator[bytes]:
        """What was told is known, of messages too that others have expunged meanwhile (RFC 2180 4.1.1)."""
        uids = self.view.uids
        for first, last in ranges:
            begin, end = bisect_left(uids, first), bisect_left(uids, last + 1)
            for start in range(begin, end, LINES_CHUNK):
                after = min(start + LINES_CHUNK, end)
                self.told += after - start
                lines = [f"* {at + 1} FETCH (UID {uids[at]})\r\n" for at in range(start, after)]
                yield "".join(lines).encode()

    # Flags alone ----------------------------------------------------------------------------------

    def _lines_from_index(self, ranges: Ranges) -> Iterator[bytes]:
        snapshot = index.current(self.view.folder_id)
        uids = snapshot.uids
        for first, last in ranges:
            begin, end = bisect_left(uids, first), bisect_left(uids, last + 1)
            for start in range(begin, end, LINES_CHUNK):
                lines = self._flag_lines(snapshot, start, min(start + LINES_CHUNK, end))
                self.told += len(lines)
                yield self.view.flag_names.announcement() + "".join(lines).encode()

    def _flag_lines(self, snapshot: Snapshot, start: int, after: int) -> list[str]:
        some = snapshot.uids[start:after]
        numbers = self.view.numbers_of(some)
        states = zip(snapshot.flags[start:after], snapshot.keywords[start:after], strict=True)
        ends = LineEnds(self.view.flag_names)
        with_uid = any(item.name == b"UID" for item in self.items)
        found = zip(some, numbers, states, strict=True)
        if self.view.recent:
            text = self.view.flags_text
            return [
                f"* {number} FETCH ({f'UID {uid} ' * with_uid}FLAGS ({text(uid, state_of(*state))}))\r\n"
                for uid, number, state in found
                if number
            ]
        if with_uid:
            return [f"* {number} FETCH (UID {uid} {ends[state]}" for uid, number, state in found if number]
        return [f"* {number} FETCH ({ends[state]}" for _, number, state in found if number]


def _with_state(row: Any, place: dict[str, int], new: tuple[int, int, int]) -> list[Any]:
    changed = list(row)
    changed[place["flags"]], changed[place["keywords"]], changed[place["modseq"]] = new
    return changed
