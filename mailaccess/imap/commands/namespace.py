"""NAMESPACE (RFC 2342, RFC 9051 6.3.10): one's own mailboxes at the top, those granted under Other Users."""

from __future__ import annotations

from mailaccess.directory import DELIMITER, OTHERS
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.session import Answer, Session


async def run(session: Session, cursor: Cursor) -> Answer:
    """`NAMESPACE`."""
    cursor.end()
    session.untagged(f'NAMESPACE (("" "{DELIMITER}")) (("{OTHERS}{DELIMITER}" "{DELIMITER}")) NIL')
    return Answer("Done")
