"""NOOP and CHECK (RFC 9051 6.1.2, RFC 3501 6.4.1): what changed is told before the answer."""

from __future__ import annotations

from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.session import Answer, Session


async def run(session: Session, cursor: Cursor) -> Answer:
    """`NOOP`."""
    cursor.end()
    return Answer("Done")
