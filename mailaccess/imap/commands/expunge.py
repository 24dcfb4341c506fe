"""EXPUNGE and UID EXPUNGE (RFC 9051 6.4.3, RFC 4315 2.1)."""

from __future__ import annotations

from core.access import Right
from mailaccess.imap.errors import BadError
from mailaccess.imap.expunging import expunge_deleted
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.sets import sequence_set
from mailaccess.imap.session import Answer, Session


async def expunge(session: Session, cursor: Cursor) -> Answer:
    """`EXPUNGE`."""
    cursor.end()
    view = session.writable()
    view.access.require(Right.DELETE)
    await session.run(expunge_deleted, view, None)
    return _done(session)


async def uid_expunge(session: Session, cursor: Cursor) -> Answer:
    """`UID EXPUNGE set`."""
    cursor.space()
    asked = sequence_set(cursor)
    cursor.end()
    view = session.writable()
    view.access.require(Right.DELETE)
    ranges = await session.run(view.chosen, asked, by_uid=True)
    if ranges is None:
        raise BadError("No such message")
    await session.run(expunge_deleted, view, ranges)
    return _done(session)


def _done(session: Session) -> Answer:
    return Answer("Expunged")
