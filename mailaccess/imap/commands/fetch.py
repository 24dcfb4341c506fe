"""FETCH and UID FETCH (RFC 9051 6.4.5, 6.4.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

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
    finish = partial(_finish, session, asked, fetcher, by_uid=by_uid)
    found = await session.run(_begin, view, asked, wishes, fetcher, finish, by_uid=by_uid)
    session.write(found.answer)
    while found.rest is not None:
        await session.wire.drain()
        found = await session.run(_some, found.rest, finish)
        session.write(found.answer)
    return Answer("Fetched", code=found.code, expunge=by_uid)


Finish = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Some:
    """As much as is sent at once, and what makes the rest; without a rest, the response code of the whole."""

    answer: bytes
    rest: Iterator[bytes] | None = None
    code: str = ""


def _finish(session: Session, asked: SequenceSet, fetcher: Fetcher, *, by_uid: bool) -> str:
    """The last of a FETCH on its database thread: its response code, then the news."""
    code = "" if by_uid else _missing(session.selected(), asked, fetcher)
    session.look_ahead(expunge=by_uid)
    return code


def _missing(view: View, asked: SequenceSet, fetcher: Fetcher) -> str:
    """The code that tells of messages which others have expunged meanwhile (RFC 9051 7.1, RFC 2180 4.1.2)."""
    if fetcher.changed_since or asked.is_saved:
        return ""
    wanted = sum(last - first + 1 for first, last in asked.resolved(view.total))
    return "EXPUNGEISSUED" if fetcher.told < wanted else ""


def _begin(view: View, asked: SequenceSet, wishes: Wishes, fetcher: Fetcher, finish: Finish, *, by_uid: bool) -> Some:
    ranges = view.chosen(asked, by_uid=by_uid)
    if ranges is None:
        raise BadError("No such message number")
    if wishes.partial is not None:
        ranges = view.some_of(ranges, wishes.partial)
    return _some(_pieces(view, ranges, wishes, fetcher), finish)


def _some(pieces: Iterator[bytes], finish: Finish) -> Some:
    """A small answer is one visit to the database."""
    made: list[bytes] = []
    size = 0
    for piece in pieces:
        made.append(piece)
        size += len(piece)
        if size >= SENT_BYTES:
            return Some(b"".join(made), pieces)
    return Some(b"".join(made), code=finish())


def _pieces(view: View, ranges: list[tuple[int, int]], wishes: Wishes, fetcher: Fetcher) -> Iterator[bytes]:
    if wishes.vanished:
        gone = vanished(view, wishes.changed_since or 0, ranges)
        if gone:
            yield f"* VANISHED (EARLIER) {written(gone)}\r\n".encode()
    yield from fetcher.chunks(ranges)
