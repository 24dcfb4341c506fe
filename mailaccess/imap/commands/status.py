"""STATUS (RFC 9051 6.3.11, RFC 7162 3.1.7, RFC 8474 5.3, RFC 9208 4.1.4), also as LIST's RETURN option (RFC 5819)."""

from __future__ import annotations

from django.conf import settings

from core.errors import ErrorKind, MailError
from mailaccess.directory import Named
from mailaccess.imap.commands.select import mailbox_id
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.names import decode_name
from mailaccess.imap.grammar.strings import mailbox
from mailaccess.imap.recent import recents
from mailaccess.imap.session import Answer, Session
from mailstore.models import Flag
from mailstore.selectors.folder_state import count_above, count_flag, flagged_bytes

KNOWN = (
    b"MESSAGES",
    b"RECENT",
    b"UIDNEXT",
    b"UIDVALIDITY",
    b"UNSEEN",
    b"DELETED",
    b"DELETED-STORAGE",
    b"SIZE",
    b"HIGHESTMODSEQ",
    b"MAILBOXID",
    b"APPENDLIMIT",
)
Items = list[bytes]


async def run(session: Session, cursor: Cursor) -> Answer:
    """`STATUS name (items)`."""
    cursor.space()
    name = decode_name(cursor.astring(), utf8=session.utf8)
    cursor.space()
    items = status_items(cursor)
    cursor.end()
    if b"HIGHESTMODSEQ" in items:
        session.enable_condstore()  # RFC 7162 3.1
    session.write(await session.run(_line, session, name, items))
    return Answer("Done")


def status_items(cursor: Cursor) -> Items:
    """`(item item …)`."""
    items = [each.upper() for each in cursor.listed(cursor.atom)]
    if any(each not in KNOWN for each in items):
        raise ImapSyntaxError("unknown STATUS item")
    return list(dict.fromkeys(items))


def status_line(session: Session, named: Named, items: Items) -> bytes:
    """The untagged answer for a mailbox that exists."""
    values = " ".join(f"{item.decode()} {_value(named, item)}" for item in items)
    return b"* STATUS " + mailbox(named.name, utf8=session.utf8) + f" ({values})\r\n".encode()


def _line(session: Session, name: str, items: Items) -> bytes:
    named = session.directory.find(name)
    if named.folder is not None and named.folder.is_locked:
        raise MailError(ErrorKind.NO_PERMISSION, locked=named.folder.id)
    return status_line(session, named, items)


def _value(named: Named, item: bytes) -> str:
    row = named.folder
    assert row is not None
    if item == b"DELETED":
        return str(count_flag(row.id, Flag.DELETED))
    if item == b"DELETED-STORAGE":
        return str(flagged_bytes(row.id, Flag.DELETED))  # RFC 9208 4.1.4: as RFC822.SIZE, not in units of STORAGE
    if item == b"RECENT":
        told = recents.told(row.id, stored=row.recent_uid)
        return str(count_above(row.id, told)[0] if 0 < told < row.uidnext - 1 else 0 if told else row.total)
    if item == b"MAILBOXID":
        return f"({mailbox_id(row.id)})"
    if item == b"APPENDLIMIT":
        return str(settings.MESSAGE_MAX_BYTES)
    known = {
        b"MESSAGES": row.total,
        b"UIDNEXT": row.uidnext,
        b"UIDVALIDITY": row.uidvalidity,
        b"UNSEEN": row.unread,
        b"SIZE": row.bytes,
        b"HIGHESTMODSEQ": row.highestmodseq,
    }
    return str(known[item])
