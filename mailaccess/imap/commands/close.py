"""CLOSE and UNSELECT (RFC 9051 6.4.1, 6.4.2)."""

from __future__ import annotations

from core.access import Right
from mailaccess.imap.expunging import expunge_deleted
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.session import Answer, Session


async def close(session: Session, cursor: Cursor) -> Answer:
    """`CLOSE`: what is marked as deleted goes, without a word about it."""
    cursor.end()
    view = session.selected()
    if not view.read_only and view.access.may(Right.DELETE):
        await session.run(expunge_deleted, view, None)
    session.unselect()
    return Answer("Closed")


async def unselect(session: Session, cursor: Cursor) -> Answer:
    """`UNSELECT`: nothing goes."""
    cursor.end()
    session.unselect()
    return Answer("Closed")
