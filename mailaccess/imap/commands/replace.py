"""REPLACE and UID REPLACE (RFC 8508): a new version of a draft in one step, so that no crash leaves two or none."""

from __future__ import annotations

from dataclasses import dataclass

from core.access import Right
from core.errors import ErrorKind, MailError
from mailaccess.imap.commands.append import Parsed, parsed_letter, placed, prepared
from mailaccess.imap.commands.copy import target
from mailaccess.imap.errors import BadError, NoError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.names import decode_name
from mailaccess.imap.session import Answer, Session
from mailaccess.imap.view import View
from mailstore.selectors.folder_state import entries_of
from mailstore.services.entries import holding, purge


async def replace(session: Session, cursor: Cursor) -> Answer:
    """`REPLACE number mailbox [flags] [date] literal`."""
    return await _run(session, cursor, by_uid=False)


async def uid_replace(session: Session, cursor: Cursor) -> Answer:
    """`UID REPLACE uid mailbox [flags] [date] literal`."""
    return await _run(session, cursor, by_uid=True)


async def _run(session: Session, cursor: Cursor, *, by_uid: bool) -> Answer:
    cursor.space()
    wanted = 0 if cursor.skip(b"*") else cursor.nonzero()
    cursor.space()
    name = decode_name(cursor.astring(), utf8=session.utf8)
    cursor.space()
    letter = parsed_letter(session, cursor)
    cursor.end()
    view = session.writable()
    view.access.require(Right.DELETE)
    code = await session.run(_replaced, session, view, _Wanted(wanted, by_uid), name, letter)
    session.untagged(f"OK [{code}] Stored")  # RFC 8508 3.3: before the EXPUNGE
    return Answer("Replaced")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A message by number or UID; 0 is the last."""

    value: int
    by_uid: bool

    def uid(self, view: View) -> int:
        """Its UID; BAD for a number beyond the end."""
        if self.by_uid and self.value:
            return self.value if view.number_of(self.value) else 0
        uid = view.uid_of(self.value or view.total)
        if not uid and not self.by_uid:
            raise BadError("No such message number")
        return uid


def _replaced(session: Session, view: View, wanted: _Wanted, name: str, letter: Parsed) -> str:
    """APPENDUID of the new one; the old one is in the recovery."""
    uid = wanted.uid(view)
    access, folder = target(session, name)
    if not entries_of(view.folder_id, [(uid, uid)], 1):
        raise MailError(ErrorKind.NOT_FOUND)
    if letter.is_empty:
        raise NoError("", "Cancelled: an empty message")
    letters = prepared(session, access, [letter])
    with holding(view.access, access):
        found = entries_of(view.folder_id, [(uid, uid)], 1)
        if not found:
            raise MailError(ErrorKind.NOT_FOUND)
        code = placed(access, folder, letters)
        purge(view.access, [found[0][1]])
    return code
