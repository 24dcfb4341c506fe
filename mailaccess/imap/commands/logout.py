"""LOGOUT (RFC 9051 6.1.3)."""

from __future__ import annotations

from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.session import Answer, Session, State


async def run(session: Session, cursor: Cursor) -> Answer:
    """`LOGOUT`."""
    cursor.end()
    session.view = None
    session.untagged("BYE Until next time")
    session.state = State.LOGOUT
    return Answer("Logged out")
