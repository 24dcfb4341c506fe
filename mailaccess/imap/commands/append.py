"""APPEND (RFC 9051 6.3.12), several at once (RFC 3502), UTF8 literals (RFC 6855 4), from parts (RFC 4469)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from core.access import Access, Right
from mailaccess.imap.catenating import Part, joined, parts
from mailaccess.imap.commands.copy import sought
from mailaccess.imap.errors import NoError
from mailaccess.imap.flags import Wanted, wanted
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.dates import date_time
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.names import decode_name
from mailaccess.imap.grammar.sets import ranges_of, written
from mailaccess.imap.session import Answer, Session
from mailstore.message.binary import without_nul
from mailstore.models import Flag, Role
from mailstore.selectors.folders import FolderRow
from mailstore.services.append import Letter, Ready, append_ready, ready
from mailstore.services.keywords import make_keyword
from mta.services.program_copies import adopt_copies

MAX_LETTERS = 1_000


@dataclass(frozen=True, slots=True)
class Parsed:
    """One message of an APPEND."""

    flags: Wanted
    internal_us: int | None
    content: bytes
    parts: tuple[Part, ...] = ()
    """Of CATENATE; `content` is empty then."""

    @property
    def is_empty(self) -> bool:
        """Whether the client thought better of it."""
        return not self.content and not self.parts


async def run(session: Session, cursor: Cursor) -> Answer:
    """`APPEND mailbox ([flags] [date] literal)…`."""
    cursor.space()
    name = decode_name(cursor.astring(), utf8=session.utf8)
    letters: list[Parsed] = []
    while cursor.skip(b" "):
        letters.append(parsed_letter(session, cursor))
        if len(letters) > MAX_LETTERS:
            raise ImapSyntaxError("too many messages")
    cursor.end()
    if not letters:
        raise ImapSyntaxError("no message")
    if any(letter.is_empty for letter in letters):
        raise NoError("", "Cancelled: an empty message")  # RFC 3502 6.3.11
    code = await session.run(stored, session, name, letters)
    return Answer("Appended", code=code)


def parsed_letter(session: Session, cursor: Cursor) -> Parsed:
    """`[flags] [date] literal`."""
    flags: Wanted | None = Wanted(Flag(0), [])
    internal_us = None
    if cursor.peek() == b"(":
        flags = wanted(cursor.flags())
        if flags is None:
            raise ImapSyntaxError("unknown system flag")
        cursor.space()
    if cursor.peek() == b'"':
        internal_us = int(date_time(cursor).timestamp() * 1_000_000)
        cursor.space()
    assert flags is not None
    if cursor.skip(b"UTF8 ("):
        if not session.utf8:
            raise ImapSyntaxError("ENABLE UTF8=ACCEPT first")
        content = cursor.literal().content
        cursor.expect(b")")
        return Parsed(flags, internal_us, content)
    if cursor.skip(b"CATENATE "):
        return Parsed(flags, internal_us, b"", parts(cursor))
    return Parsed(flags, internal_us, cursor.literal().content)


def stored(session: Session, name: str, letters: list[Parsed]) -> str:
    """APPENDUID of what is stored; all of it or nothing."""
    access, folder = sought(session.directory.folder, name)
    return placed(access, folder, prepared(session, access, letters))


def prepared(session: Session, access: Access, letters: list[Parsed]) -> list[Ready]:
    """What can be done of it before anything is locked."""
    access.require(Right.INSERT)
    return ready([_letter(session, access, letter) for letter in letters])


def placed(access: Access, folder: FolderRow, letters: list[Ready]) -> str:
    """As `stored`."""
    is_sent = folder.role == Role.SENT
    made = append_ready(access, folder.id, letters, then=partial(adopt_copies, access) if is_sent else None)
    return f"APPENDUID {folder.uidvalidity} {written(ranges_of(each.uid for each in made))}"


def _letter(session: Session, access: Access, letter: Parsed) -> Letter:
    content = without_nul(joined(session, letter.parts) if letter.parts else letter.content)
    if content is None:
        raise NoError("UNKNOWN-CTE", "A NUL stands where nothing can be encoded")  # RFC 3516 4.4
    atoms = letter.flags.atoms if access.may(Right.FLAG) else []
    keyword_ids = [make_keyword(access, atom).id for atom in atoms]
    return Letter(content, int(letter.flags.flags), keyword_ids, letter.internal_us)
