"""STARTTLS (RFC 9051 6.2.1). The handshake begins after the answer; what came with the command is thrown away."""

from __future__ import annotations

from mailaccess.imap.errors import BadError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.session import Answer, Session


async def run(session: Session, cursor: Cursor) -> Answer:
    """`STARTTLS`."""
    cursor.end()
    if session.wire.is_encrypted:
        raise BadError("TLS is already active")
    session.after = "tls"
    return Answer("Begin TLS now")
