"""FETCH and UID FETCH (RFC 9051 6.4.5, 6.4.9)."""

from __future__ import annotations

from collections.abc import Iterator

from mailaccess.imap.errors import BadError
from mailaccess.imap.fetching import Fetcher
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.fetch import Item, Wishes, fetch_items
from mailaccess.imap.grammar.sets import SequenceSet, sequence_set, written
from mailaccess.imap.resync import vanished
from mailaccess.imap.session import Answer, Session
from mailaccess.imap.view import View

SENT_BYTES = 65_536


async def fetch(session: Session, cursor: Cursor) -> Answer:
    """`FETCH set items [(modifiers)]`."""
    return await _run(session, cursor, by_uid=False)


async def uid_fetch(session: Session, cursor: Cursor) -> Answer:
    """`UID FETCH set items [(modifiers)]`; the answers carry UIDs."""
    return await _run(session, cursor, by_uid=True)


async def _run(session: Session, cursor: Cursor, *, by_uid: bool) -> Answer:
    cursor.space()
    asked = sequence_set(cursor)
    cursor.space()
    wishes = fetch_items(cursor)
    cursor.end()
    view = session.selected()
    if wishes.vanished and not (by_uid and "QRESYNC" in session.enabled):
        raise BadError("VANISHED is for UID FETCH after ENABLE QRESYNC")  # RFC 7162 3.2.6
    if wishes.partial is not None and not by_uid:
        raise BadError("PARTIAL is for UID FETCH")  # RFC 9394 3.3
    names = {item.name for item in wishes.items}
    if wishes.changed_since is not None or b"MODSEQ" in names:
        session.enable_condstore()
    items = [*([Item(b"UID")] if by_uid and b"UID" not in names else []), *wishes.items]
    fetcher = Fetcher(view, items, wishes.changed_since or 0, with_modseq=session.condstore)
    answer, rest = await session.run(_begin, view, asked, wishes, fetcher, by_uid=by_uid)
    session.write(answer)
    while rest is not None:
        await session.wire.drain()
        answer, rest = await session.run(_some, rest)
        session.write(answer)
    code = "" if by_uid else await session.run(_missing, view, asked, fetcher)
    return Answer("Fetched", code=code, expunge=by_uid)


def _missing(view: View, asked: SequenceSet, fetcher: Fetcher) -> str:
    """The code that tells of messages which others have expunged meanwhile (RFC 9051 7.1, RFC 2180 4.1.2)."""
    if fetcher.changed_since or asked.is_saved:
        return ""
    wanted = sum(last - first + 1 for first, last in asked.resolved(view.total))
    return "EXPUNGEISSUED" if fetcher.told < wanted else ""


Rest = Iterator[bytes] | None


def _begin(view: View, asked: SequenceSet, wishes: Wishes, fetcher: Fetcher, *, by_uid: bool) -> tuple[bytes, Rest]:
    """The first of the answer and what makes the rest of it."""
    ranges = view.chosen(asked, by_uid=by_uid)
    if ranges is None:
        raise BadError("No such message number")
    if wishes.partial is not None:
        ranges = view.some_of(ranges, wishes.partial)
    return _some(_pieces(view, ranges, wishes, fetcher))


def _some(pieces: Iterator[bytes]) -> tuple[bytes, Rest]:
    """As much as is sent at once; None for the rest at the end, so that a small answer is one visit to the database."""
    made: list[bytes] = []
    size = 0
    for piece in pieces:
        made.append(piece)
        size += len(piece)
        if size >= SENT_BYTES:
            return b"".join(made), pieces
    return b"".join(made), None


def _pieces(view: View, ranges: list[tuple[int, int]], wishes: Wishes, fetcher: Fetcher) -> Iterator[bytes]:
    if wishes.vanished:
        gone = vanished(view, wishes.changed_since or 0, ranges)
        if gone:
            yield f"* VANISHED (EARLIER) {written(gone)}\r\n".encode()
    yield from fetcher.chunks(ranges)
