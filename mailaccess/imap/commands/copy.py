"""COPY and MOVE, by number and by UID (RFC 9051 6.4.7, 6.4.8, RFC 4315, RFC 6851)."""

from __future__ import annotations

from core.access import Right
from core.errors import ErrorKind, MailError
from mailaccess.imap.crossing import copy_across
from mailaccess.imap.errors import BadError, NoError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.names import decode_name
from mailaccess.imap.grammar.sets import SequenceSet, ranges_of, sequence_set, written
from mailaccess.imap.session import Answer, Session
from mailaccess.imap.view import View
from mailstore.selectors.folder_state import entries_of, uids_of, uidvalidity_of
from mailstore.services import entries

MAX_MESSAGES = 1_000_000


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
    found = _found(view, messages, by_uid=by_uid)
    access_mailbox, folder_id = target(session, name)
    if not found:
        return ""
    if access_mailbox != view.access.mailbox:
        made = across(session, view, found, name)
    else:
        made = entries.copy(view.access, [entry_id for _, entry_id in found], folder_id=folder_id)
    return _code(folder_id, [uid for uid, _ in found], made)


def _moved(session: Session, view: View, messages: SequenceSet, name: str, *, by_uid: bool) -> str:
    found = _found(view, messages, by_uid=by_uid)
    access_mailbox, folder_id = target(session, name)
    if not found:
        return ""
    ids = [entry_id for _, entry_id in found]
    if access_mailbox != view.access.mailbox:
        view.access.require(Right.DELETE)
        made = across(session, view, found, name)
        entries.purge(view.access, ids)
        return _code(folder_id, [uid for uid, _ in found], made)
    if folder_id == view.folder_id:
        return ""  # it is there already
    entries.move(view.access, ids, folder_id=folder_id)
    return _code(folder_id, [uid for uid, _ in found], ids)


def across(session: Session, view: View, found: list[tuple[int, int]], name: str) -> list[int]:
    """Copy into another person's mailbox: the bytes are stored once, the entries are made anew. All or none."""
    named = session.directory.find(name)
    assert named.access is not None
    assert named.folder is not None
    return copy_across(view.access, named.access, named.folder.id, [entry_id for _, entry_id in found])


def target(session: Session, name: str) -> tuple[int, int]:
    """(mailbox, folder) of a name; TRYCREATE when there is none (RFC 9051 6.3.12)."""
    try:
        named = session.directory.find(name)
    except MailError as error:
        if error.kind is not ErrorKind.NOT_FOUND:
            raise
        raise NoError("TRYCREATE", "No such mailbox") from None
    assert named.access is not None
    assert named.folder is not None
    return named.access.mailbox, named.folder.id


def _found(view: View, messages: SequenceSet, *, by_uid: bool) -> list[tuple[int, int]]:
    ranges = view.chosen(messages, by_uid=by_uid)
    if ranges is None:
        raise BadError("No such message number")
    found = entries_of(view.folder_id, ranges, MAX_MESSAGES)
    return [(uid, entry_id) for uid, entry_id in found if view.number_of(uid)]


def _code(folder_id: int, sources: list[int], made: list[int]) -> str:
    """COPYUID: both sets in the same order (RFC 4315 3)."""
    uids = uids_of(made)
    pairs = [(source, uids[entry_id]) for source, entry_id in zip(sources, made, strict=False) if entry_id in uids]
    if not pairs:
        return ""
    return (
        f"COPYUID {uidvalidity_of(folder_id)} {written(ranges_of(source for source, _ in pairs))} "
        f"{written(ranges_of(uid for _, uid in pairs))}"
    )
