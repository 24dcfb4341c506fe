"""SELECT and EXAMINE (RFC 9051 6.3.2, 6.3.3), with CONDSTORE and QRESYNC parameters (RFC 7162 3.1.8, 3.2.5)."""

from __future__ import annotations

from dataclasses import dataclass

from core.access import Right
from core.errors import ErrorKind, MailError
from mailaccess.directory import Named
from mailaccess.imap.errors import BadError
from mailaccess.imap.flags import FlagNames
from mailaccess.imap.folder_index import index
from mailaccess.imap.grammar.cursor import MAX_NUMBER64, Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.names import decode_name
from mailaccess.imap.grammar.sets import SequenceSet, sequence_set
from mailaccess.imap.grammar.strings import mailbox
from mailaccess.imap.resync import Resync, resynchronise
from mailaccess.imap.search.ahead import ahead
from mailaccess.imap.session import Answer, Session, State
from mailaccess.imap.view import View
from mailstore.models import FLAG_NAMES
from mailstore.selectors.folder_state import first_unread_number
from mailstore.selectors.folders import FolderRow

WALKED_MAX = 5_000
"""Messages of a folder that SELECT walks through for the first unread one: about a millisecond."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a SELECT asks for."""

    name: str
    condstore: bool = False
    resync: Resync | None = None


async def select(session: Session, cursor: Cursor) -> Answer:
    """`SELECT name [(parameters)]`."""
    return await _open(session, _parsed(session, cursor), read_only=False)


async def examine(session: Session, cursor: Cursor) -> Answer:
    """`EXAMINE name [(parameters)]`."""
    return await _open(session, _parsed(session, cursor), read_only=True)


def _parsed(session: Session, cursor: Cursor) -> Asked:
    cursor.space()
    name = decode_name(cursor.astring(), utf8=session.utf8)
    condstore, resync = False, None
    if cursor.skip(b" "):
        for word in cursor.listed(lambda: _parameter(cursor)):
            condstore = condstore or word is True
            resync = word if isinstance(word, Resync) else resync
    cursor.end()
    if resync is not None and "QRESYNC" not in session.enabled:
        raise BadError("ENABLE QRESYNC first")  # RFC 7162 3.2.5
    return Asked(name, condstore, resync)


def _parameter(cursor: Cursor) -> bool | Resync:
    if cursor.skip(b"CONDSTORE"):
        return True
    cursor.expect(b"QRESYNC (")
    uidvalidity = cursor.nonzero()
    cursor.space()
    modseq = cursor.number(MAX_NUMBER64)
    known: SequenceSet | None = None
    match: tuple[SequenceSet, SequenceSet] | None = None
    if cursor.skip(b" ") and cursor.peek() != b"(":
        known = sequence_set(cursor)
        cursor.skip(b" ")
    if cursor.skip(b"("):
        numbers = sequence_set(cursor)
        cursor.space()
        match = (numbers, sequence_set(cursor))
        cursor.expect(b")")
    cursor.expect(b")")
    if known is not None and known.is_saved:
        raise ImapSyntaxError("no set")
    return Resync(uidvalidity, modseq, known, match)


async def _open(session: Session, asked: Asked, *, read_only: bool) -> Answer:
    was_open = session.view is not None
    session.unselect()
    if was_open:
        session.untagged("OK [CLOSED] The earlier mailbox is closed")  # RFC 7162 3.2.11
    if asked.condstore:
        session.enable_condstore()
    view, lines, is_large = await session.run_briefly(_entered, session, asked, read_only=read_only)
    if is_large:
        ahead.begin(view.folder_id)
    session.view = view
    session.state = State.SELECTED
    session.write(lines)
    if asked.resync is not None:
        session.write(await session.run(resynchronise, view, asked.resync))
    code = "READ-ONLY" if view.read_only else "READ-WRITE"
    return Answer("Examined" if read_only else "Selected", code=code)


def _entered(session: Session, asked: Asked, *, read_only: bool) -> tuple[View, bytes, bool]:
    """The view, its untagged lines, and whether it should be read ahead; two queries or three, whatever the size of the
    folder."""
    named = session.directory.find(asked.name)
    if named.access is None or named.folder is None:
        raise MailError(ErrorKind.NOT_FOUND)
    access, row = named.access, named.folder
    if row.is_locked:
        raise MailError(ErrorKind.NO_PERMISSION, locked=row.id)
    changeable = access.may(Right.FLAG) or access.may(Right.INSERT) or access.may(Right.DELETE)
    read_only = read_only or row.is_read_only or not changeable
    names = FlagNames.of(access)
    view = View(named.name, access, row.id, read_only, row.total, row.uidnext, row.highestmodseq, names)
    if not session.rev2:
        view.open_recent(row.recent_uid)
    may_make = access.may(Right.FLAG)
    permanent = [] if read_only else [*names.all_names(), *(["\\*"] if may_make else [])]
    lines = [
        f"FLAGS ({' '.join(names.all_names() or FLAG_NAMES.values())})",
        f"{row.total} EXISTS",
        *([] if session.rev2 else [f"{view.recent_total} RECENT"]),
        *([] if session.rev2 else _unseen(row)),
        f"OK [PERMANENTFLAGS ({' '.join(permanent)})] Flags that stay",
        f"OK [UIDVALIDITY {row.uidvalidity}] UIDs are valid",
        f"OK [UIDNEXT {row.uidnext}] Predicted next UID",
        f"OK [HIGHESTMODSEQ {row.highestmodseq}] Highest",
        f"OK [MAILBOXID ({mailbox_id(row.id)})] Ok",
    ]
    if session.rev2:
        lines.append(_listed(session, named))
    return view, "".join(f"* {line}\r\n" for line in lines).encode(), ahead.is_wanted(row.id, row.total)


def _unseen(row: FolderRow) -> list[str]:
    """The first message without \\Seen (RFC 3501 6.3.1), unless it would have to be looked for in a large folder."""
    if not row.unread:
        return []
    snapshot = index.known(row.id, row.highestmodseq)
    if snapshot is not None and snapshot.known_states is not None:
        number = snapshot.first_unread()
    else:
        number = first_unread_number(row.id) if row.total <= WALKED_MAX else 0
    return [f"OK [UNSEEN {number}] First unread"] if number else []


def _listed(session: Session, named: Named) -> str:
    """The LIST answer that rev2 demands (RFC 9051 6.3.2)."""
    attributes = " ".join(filter(None, (named.special_use,)))
    return f'LIST ({attributes}) "/" {mailbox(named.name, utf8=session.utf8).decode()}'


def mailbox_id(folder_id: int) -> str:
    """The OBJECTID of a mailbox (RFC 8474 5.1); it survives renaming."""
    return f"F{folder_id:x}"
