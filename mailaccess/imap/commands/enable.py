"""ENABLE (RFC 9051 6.3.1, RFC 5161)."""

from __future__ import annotations

from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.session import Answer, Session

KNOWN = {b"CONDSTORE": "CONDSTORE", b"QRESYNC": "QRESYNC", b"UTF8=ACCEPT": "UTF8=ACCEPT", b"IMAP4REV2": "IMAP4rev2"}


async def run(session: Session, cursor: Cursor) -> Answer:
    """`ENABLE capability …`; what is unknown is passed over."""
    names = []
    cursor.space()
    names.append(cursor.atom().upper())
    while cursor.skip(b" "):
        names.append(cursor.atom().upper())
    cursor.end()
    fresh = [name for name in dict.fromkeys(names) if name in KNOWN and name.decode() not in session.enabled]
    if {b"CONDSTORE", b"QRESYNC"} & set(fresh):
        session.enable_condstore()  # QRESYNC is more of the same (RFC 7162 3.2.3)
    session.enabled |= {name.decode() for name in fresh}
    session.untagged(" ".join(["ENABLED", *(KNOWN[name] for name in fresh)]))
    return Answer("Enabled")
