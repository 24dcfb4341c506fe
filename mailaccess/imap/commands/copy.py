"""COPY and MOVE, by number and by UID (RFC 9051 6.4.7, 6.4.8, RFC 4315, RFC 6851)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailaccess.imap.crossing import copy_across
from mailaccess.imap.errors import BadError, NoError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.names import decode_name
from mailaccess.imap.grammar.sets import SequenceSet, after, ranges_of, sequence_set, within, written
from mailaccess.imap.session import Answer, Session
from mailaccess.imap.view import Ranges, View
from mailstore.selectors.folder_state import entries_of, uids_of
from mailstore.selectors.folders import FolderRow
from mailstore.services import entries
from mailstore.services.selection import SLICE

T = TypeVar("T")

MAX_MESSAGES = 100_000


async def copy(session: Session, cursor: Cursor) -> Answer:
    """`COPY set mailbox`."""
    return await _copy(session, *_parsed(session, cursor), by_uid=False)


async def uid_copy(session: Session, cursor: Cursor) -> Answer:
    """`UID COPY set mailbox`."""
    return await _copy(session, *_parsed(session, cursor), by_uid=True)


async def move(session: Session, cursor: Cursor) -> Answer:
    """`MOVE set mailbox`."""
    return await _move(session, *_parsed(session, cursor), by_uid=False)


async def uid_move(session: Session, cursor: Cursor) -> Answer:
    """`UID MOVE set mailbox`."""
    return await _move(session, *_parsed(session, cursor), by_uid=True)


def _parsed(session: Session, cursor: Cursor) -> tuple[SequenceSet, str]:
    cursor.space()
    messages = sequence_set(cursor)
    cursor.space()
    name = decode_name(cursor.astring(), utf8=session.utf8)
    cursor.end()
    return messages, name


async def _copy(session: Session, messages: SequenceSet, name: str, *, by_uid: bool) -> Answer:
    view = session.selected()
    code = await session.run(_copied, session, view, messages, name, by_uid=by_uid)
    return Answer("Copied", code=code)


async def _move(session: Session, messages: SequenceSet, name: str, *, by_uid: bool) -> Answer:
    view = session.writable()
    code = await session.run(_moved, session, view, messages, name, by_uid=by_uid)
    if code:
        session.untagged(f"OK [{code}] Moved")  # before the EXPUNGEs (RFC 6851 4.3)
    return Answer("Moved")


def _copied(session: Session, view: View, messages: SequenceSet, name: str, *, by_uid: bool) -> str:
    ranges = _ranges(view, messages, by_uid=by_uid)
    access, folder = target(session, name)
    folder_id = folder.id
    with entries.holding(view.access, access):  # all of it or nothing (RFC 9051 6.4.7)
        found = _found(view, ranges, MAX_MESSAGES + 1)  # too many: LIMIT
        ids = [entry_id for _, entry_id in found]
        if not ids:
            return ""
        if access.mailbox == view.access.mailbox:
            made = entries.copy(access, ids, folder_id=folder_id)
        else:
            made = copy_across(view.access, access, folder_id, ids)
        return _code(folder, _pairs(found, made))


def _moved(session: Session, view: View, messages: SequenceSet, name: str, *, by_uid: bool) -> str:
    """In slices, a transaction each; a message is in one of the folders whatever happens (RFC 6851 3.3)."""
    rest = _ranges(view, messages, by_uid=by_uid)
    access, folder = target(session, name)
    folder_id = folder.id
    pairs: list[tuple[int, int]] = []
    while rest:
        with entries.holding(view.access, access):
            found = _found(view, rest, SLICE)
            ids = [entry_id for _, entry_id in found]
            if folder_id == view.folder_id:
                # As a copy and an expunge: it has a new UID behind all others (RFC 6851 3.3).
                view.access.require(Right.MOVE)
                made = entries.copy(access, ids, folder_id=folder_id) if ids else []
                entries.purge(view.access, ids)
                ids = made
            elif access.mailbox == view.access.mailbox:
                entries.move(access, ids, folder_id=folder_id)
            elif ids:
                view.access.require(Right.DELETE)
                ids = copy_across(view.access, access, folder_id, ids)
                entries.purge(view.access, [entry_id for _, entry_id in found])
            pairs += _pairs(found, ids)
        rest = after(rest, found[-1][0]) if len(found) == SLICE else []
    return _code(folder, pairs)


def target(session: Session, name: str) -> tuple[Access, FolderRow]:
    """Where a name is: access and folder; TRYCREATE when there is none. The access opens everything that the program
    may see, so that it may take from there too."""
    named = sought(session.directory.find, name)
    assert named.access is not None
    assert named.folder is not None
    return named.access, named.folder


def sought(search: Callable[[str], T], name: str) -> T:
    """What a search of the directory finds; TRYCREATE when there is no such mailbox (RFC 9051 6.3.12)."""
    try:
        return search(name)
    except MailError as error:
        if error.kind is not ErrorKind.NOT_FOUND:
            raise
        raise NoError("TRYCREATE", "No such mailbox") from None


def _ranges(view: View, messages: SequenceSet, *, by_uid: bool) -> Ranges:
    ranges = view.chosen(messages, by_uid=by_uid)
    if ranges is None:
        raise BadError("No such message number")
    return ranges


def _found(view: View, ranges: Ranges, limit: int) -> list[tuple[int, int]]:
    """(uid, entry id) of those that this session knows: what came unheard has a UID that it was not told."""
    return entries_of(view.folder_id, within(ranges, view.uidnext), limit)


def _pairs(found: list[tuple[int, int]], made: list[int]) -> list[tuple[int, int]]:
    """Old UID to new UID, in the order of the old ones."""
    uids = uids_of(made)
    return [(source, uids[entry_id]) for (source, _), entry_id in zip(found, made, strict=True)]


def _code(folder: FolderRow, pairs: list[tuple[int, int]]) -> str:
    """COPYUID: both sets in the same order (RFC 4315 3)."""
    if not pairs:
        return ""
    sources, made = (written(ranges_of(side)) for side in zip(*pairs, strict=True))
    return f"COPYUID {folder.uidvalidity} {sources} {made}"
