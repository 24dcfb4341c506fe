"""GETMETADATA and SETMETADATA (RFC 5464)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from core.access import Access
from core.errors import ErrorKind, MailError
from mailaccess.imap.errors import NoError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.names import decode_name
from mailaccess.imap.grammar.strings import astring, literal, mailbox, string
from mailaccess.imap.session import Answer, Session
from mailaccess.services.metadata import (
    MAX_ENTRIES,
    MAX_VALUE_BYTES,
    annotations_of,
    set_annotations,
)

MAX_NAME_BYTES = 200
MAX_ASKED = 200
_NAME = re.compile(r"/(?:private|shared)(?:/[\x20-\x24\x26-\x29\x2b-\x2e\x30-\x7e]+)+")
"""RFC 5464 3.2: no wildcards, nothing but ASCII, no empty level."""
_VENDOR = re.compile(r"/(?:private|shared)/vendor(?:/[^/]*)?")
"""Below these a vendor's entries lie; they are none themselves (RFC 5464 3.2)."""


@dataclass(slots=True)
class Asked:
    """A parsed GETMETADATA. `depth` is 0, 1 or, for everything below, -1."""

    mailbox: str = ""
    entries: list[str] = field(default_factory=list)
    max_size: int | None = None
    depth: int = 0


async def get(session: Session, cursor: Cursor) -> Answer:
    """`GETMETADATA [(options)] mailbox entries`; the options may stand behind the mailbox too (RFC 5464's examples)."""
    asked = _asked(session, cursor)
    lines, longest = await session.run(_found, session, asked)
    session.write(lines)
    return Answer("Done", code=f"METADATA LONGENTRIES {longest}" if longest else "")


async def put(session: Session, cursor: Cursor) -> Answer:
    """`SETMETADATA mailbox (entry value …)`; NIL removes."""
    cursor.space()
    name = decode_name(cursor.astring(), utf8=session.utf8)
    cursor.space()
    changes: dict[str, bytes | None] = dict(cursor.listed(lambda: _change(cursor)))
    cursor.end()
    try:
        await session.run(_put, session, name, changes)
    except MailError as error:
        if error.kind is ErrorKind.TOO_LARGE:
            raise NoError(f"METADATA MAXSIZE {MAX_VALUE_BYTES}", "The value is too long") from None
        if error.kind is ErrorKind.LIMIT:
            raise NoError("METADATA TOOMANY", f"At most {MAX_ENTRIES} entries") from None
        raise
    return Answer("Done")


def _asked(session: Session, cursor: Cursor) -> Asked:
    asked = Asked()
    cursor.space()
    if cursor.peek() == b"(":
        cursor.listed(lambda: _option(cursor, asked))
        cursor.space()
    asked.mailbox = decode_name(cursor.astring(), utf8=session.utf8)
    cursor.space()
    if cursor.peek() == b"(" and cursor.peek(2) != b"(/" and cursor.peek(2) != b'("':
        cursor.listed(lambda: _option(cursor, asked))
        cursor.space()
    asked.entries = cursor.one_or_listed(lambda: _entry(cursor))
    cursor.end()
    if len(asked.entries) > MAX_ASKED:
        raise ImapSyntaxError("too many entries")
    return asked


def _option(cursor: Cursor, asked: Asked) -> None:
    if cursor.skip(b"MAXSIZE "):
        asked.max_size = cursor.number()
    elif cursor.skip(b"DEPTH "):
        depths = {b"0": 0, b"1": 1, b"INFINITY": -1}
        word = cursor.atom().upper()
        if word not in depths:
            raise ImapSyntaxError("unknown depth")
        asked.depth = depths[word]
    else:
        raise ImapSyntaxError("unknown GETMETADATA option")


def _change(cursor: Cursor) -> tuple[str, bytes | None]:
    name = _entry(cursor)
    if _VENDOR.fullmatch(name):
        raise ImapSyntaxError("an entry of a vendor has four levels")
    cursor.space()
    return name, cursor.nstring()


def _entry(cursor: Cursor) -> str:
    name = cursor.astring().decode("utf-8", "replace").lower()
    if len(name) > MAX_NAME_BYTES or not _NAME.fullmatch(name):
        raise ImapSyntaxError("bad entry name")
    return name


def _found(session: Session, asked: Asked) -> tuple[bytes, int]:
    """The untagged answer, and the size of the longest value that was too long for MAXSIZE."""
    access, folder_id = _place(session, asked.mailbox)
    known = annotations_of(access, folder_id)
    if not folder_id:
        domain = session.directory.account.domain.name
        known.setdefault("/shared/admin", f"mailto:postmaster@{domain}".encode())  # RFC 5464 6.2.1
    chosen = {
        name: value for name, value in known.items() if any(_matches(name, each, asked) for each in asked.entries)
    }
    limit = asked.max_size
    shown = {name: value for name, value in chosen.items() if limit is None or len(value) <= limit}
    longest = max((len(value) for name, value in chosen.items() if name not in shown), default=0)
    if not shown:
        return b"", longest
    pairs = b" ".join(astring(name.encode()) + b" " + _written(value) for name, value in shown.items())
    where = mailbox(asked.mailbox, utf8=session.utf8) if asked.mailbox else b'""'
    return b"* METADATA " + where + b" (" + pairs + b")\r\n", longest


def _matches(name: str, entry: str, asked: Asked) -> bool:
    if name == entry:
        return True
    below = name.removeprefix(entry + "/")
    return asked.depth != 0 and below != name and (asked.depth < 0 or "/" not in below)


def _written(value: bytes) -> bytes:
    return b"~" + literal(value) if b"\0" in value else string(value)


def _put(session: Session, name: str, changes: dict[str, bytes | None]) -> None:
    access, folder_id = _place(session, name)
    if not folder_id and any(entry.startswith("/shared/") for entry in changes):
        raise MailError(ErrorKind.NO_PERMISSION)  # the server is everybody's
    set_annotations(access, folder_id, changes)


def _place(session: Session, name: str) -> tuple[Access, int]:
    """The mailbox with a name; the server (0, in one's own mailbox) for the empty one."""
    if not name:
        return session.directory.own, 0
    named = session.directory.find(name)
    assert named.access is not None
    assert named.folder is not None
    return named.access, named.folder.id
