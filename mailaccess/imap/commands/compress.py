"""COMPRESS (RFC 4978). Everything behind the tagged answer is raw DEFLATE, both ways."""

from __future__ import annotations

from mailaccess.imap.errors import NoError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.session import Answer, Session


async def run(session: Session, cursor: Cursor) -> Answer:
    """`COMPRESS DEFLATE`."""
    cursor.space()
    mechanism = cursor.atom().upper()
    cursor.end()
    if mechanism != b"DEFLATE":
        raise NoError("CANNOT", "Unknown compression")
    if session.wire.is_compressed:
        raise NoError("COMPRESSIONACTIVE", "DEFLATE is active already")  # RFC 4978 3
    session.after = "deflate"
    return Answer("DEFLATE from now on")
