"""CAPABILITY (RFC 9051 6.1.1). Nothing is listed that isn't complete."""

from __future__ import annotations

from django.conf import settings

from accounts.sasl import mechanisms
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.session import Answer, Session, State

ALWAYS = ("IMAP4rev1", "IMAP4rev2", "ID", "ENABLE", "LITERAL+", "SASL-IR")
SIGNED_IN = (
    "NAMESPACE",
    "CHILDREN",
    "SPECIAL-USE",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "STATUS=SIZE",
    "UNSELECT",
    "IDLE",
    "CONDSTORE",
    "QRESYNC",
    "UTF8=ACCEPT",
    "ESEARCH",
    "SEARCHRES",
    "WITHIN",
    "PARTIAL",
    "SORT",
    "SORT=DISPLAY",
    "ESORT",
    "THREAD=ORDEREDSUBJECT",
    "THREAD=REFERENCES",
    "UIDPLUS",
    "MOVE",
    "MULTIAPPEND",
    "BINARY",
    "PREVIEW",
    "SAVEDATE",
    "REPLACE",
    "QUOTA",
    "QUOTA=RES-STORAGE",
    "ACL",
    "RIGHTS=kxte",
    "METADATA",
    "OBJECTID",
    "NOTIFY",
    "CATENATE",
)


def capabilities(session: Session) -> str:
    """What this connection may use now."""
    found = list(ALWAYS)
    if session.state is State.GUEST:
        found += [] if session.wire.is_encrypted else ["STARTTLS"]
        if session.wire.takes_secrets:
            found += [f"AUTH={name}" for name in mechanisms(session.wire.bindings)]
        else:
            found.append("LOGINDISABLED")
    else:
        found += [*SIGNED_IN, f"APPENDLIMIT={settings.MESSAGE_MAX_BYTES}"]
        found += [] if session.wire.is_compressed else ["COMPRESS=DEFLATE"]
    return " ".join(found)


async def run(session: Session, cursor: Cursor) -> Answer:
    """`CAPABILITY`."""
    cursor.end()
    session.untagged(f"CAPABILITY {capabilities(session)}")
    return Answer("Done")
