"""CATENATE (RFC 4469): a message put together from parts of stored ones and new text, without a download."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailaccess.imap.errors import NoError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.urls import MessageUrl, message_url
from mailaccess.imap.section import Letter
from mailaccess.imap.session import Session
from mailstore.selectors.fetch import content, fetch_rows
from mailstore.selectors.folder_state import uidvalidity_of
from mailstore.selectors.folders import open_folder

MAX_PARTS = 200
COLUMNS = ("uid", "header_length", "codec", "data", "key", "blob_size")

Part = bytes | MessageUrl


def parts(cursor: Cursor) -> tuple[Part, ...]:
    """`(TEXT literal URL url …)`. BADURL for what is no URL of a message."""
    found = cursor.listed(lambda: _part(cursor))
    if len(found) > MAX_PARTS:
        raise ImapSyntaxError("too many parts")
    return tuple(found)


def joined(session: Session, found: Sequence[Part]) -> bytes:
    """The bytes; on a database thread. BADURL, TOO_LARGE."""
    made = bytearray()
    for part in found:
        made += part if isinstance(part, bytes) else _bytes_of(session, part)
        if len(made) > settings.MESSAGE_MAX_BYTES:
            raise MailError(ErrorKind.TOO_LARGE, limit=settings.MESSAGE_MAX_BYTES)
    return bytes(made)


def _part(cursor: Cursor) -> Part:
    if cursor.skip(b"TEXT "):
        return cursor.literal().content
    cursor.expect(b"URL ")
    text = cursor.astring()
    url = message_url(text)
    if url is None:
        raise _bad(text.decode("ascii", "replace"))
    return url


def _bytes_of(session: Session, url: MessageUrl) -> bytes:
    if url.host not in {"", str(settings.PUBLIC_HOST).lower()}:
        raise _bad(url.text)
    try:
        access, folder_id = _place(session, url)
        if url.uidvalidity not in {0, uidvalidity_of(folder_id)}:
            raise _bad(url.text)
    except MailError:
        raise _bad(url.text) from None
    access.require(Right.READ)
    rows = fetch_rows(folder_id, url.uid, url.uid, COLUMNS)
    if not rows:
        raise _bad(url.text)
    _, header_length, codec, data, key, size = rows[0]
    found = Letter(content(codec, data, key, size), header_length).section(url.section)
    if found is None:
        raise _bad(url.text)
    begin, length = url.partial or (0, len(found))
    return found[begin : begin + length]


def _place(session: Session, url: MessageUrl) -> tuple[Access, int]:
    if not url.mailbox:
        if session.view is None:
            raise _bad(url.text)
        return session.view.access, session.view.folder_id
    named = session.directory.find(url.mailbox)
    assert named.access is not None
    assert named.folder is not None
    return named.access, open_folder(named.access, named.folder.id).id


def _bad(text: str) -> NoError:
    shown = "".join(c for c in text if c.isprintable() and c not in '"\\]')[:200]
    return NoError(f'BADURL "{shown}"', "No such message or part")
