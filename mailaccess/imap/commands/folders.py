"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 6.3.4 to 6.3.8)."""

from __future__ import annotations

from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailaccess import subscriptions
from mailaccess.directory import DELIMITER
from mailaccess.imap.commands.select import mailbox_id
from mailaccess.imap.errors import NoError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.names import decode_name
from mailaccess.imap.session import Answer, Session
from mailaccess.services.metadata import copy_annotations, forget_annotations
from mailstore.models import Role
from mailstore.services.entries import Selection, move
from mailstore.services.folders import create_folder, delete_folder, empty_folder, relocate_folder


async def create(session: Session, cursor: Cursor) -> Answer:
    """`CREATE mailbox [(USE (…))]`; levels on the way are made too."""
    name = _name(session, cursor)
    if cursor.skip(b" "):
        raise NoError("USEATTR", "Special uses are given already")  # RFC 6154 3
    cursor.end()
    made = await session.run(_create, session, name)
    return Answer("Created", code=f"MAILBOXID ({mailbox_id(made)})")


async def delete(session: Session, cursor: Cursor) -> Answer:
    """`DELETE mailbox`: its mails go to the recovery."""
    name = _name(session, cursor)
    cursor.end()
    gone = await session.run(_delete, session, name)
    if session.view is not None and session.view.folder_id == gone:
        session.unselect()
        session.untagged("OK [CLOSED] It was the selected one")  # RFC 9051 7.1
    return Answer("Deleted")


async def rename(session: Session, cursor: Cursor) -> Answer:
    """`RENAME old new`; of INBOX its mails move and it stays (RFC 9051 6.3.6)."""
    old = _name(session, cursor)
    new = _name(session, cursor)
    cursor.end()
    await session.run(_rename, session, old, new)
    return Answer("Renamed")


async def subscribe(session: Session, cursor: Cursor) -> Answer:
    """`SUBSCRIBE mailbox`."""
    name = _name(session, cursor)
    cursor.end()
    await session.run(subscriptions.subscribe, session.directory.account, name)
    return Answer("Subscribed")


async def unsubscribe(session: Session, cursor: Cursor) -> Answer:
    """`UNSUBSCRIBE mailbox`."""
    name = _name(session, cursor)
    cursor.end()
    await session.run(subscriptions.unsubscribe, session.directory.account, name)
    return Answer("Unsubscribed")


def _name(session: Session, cursor: Cursor) -> str:
    cursor.space()
    name = decode_name(cursor.astring(), utf8=session.utf8)
    if not name or len(name) > 2_000:
        raise ImapSyntaxError("bad mailbox name")
    return name


def _create(session: Session, name: str) -> int:
    access, parent, levels = session.directory.place(name)
    with transaction.atomic():
        for level in levels:
            parent = create_folder(access, level, parent_id=parent)
    return parent


def _delete(session: Session, name: str) -> int:
    named = session.directory.find(name)
    assert named.access is not None
    assert named.folder is not None
    if named.folder.role:
        raise MailError(ErrorKind.NO_PERMISSION)
    if named.has_children:
        raise NoError("HASCHILDREN", "There are mailboxes below it")  # RFC 9051 6.3.5
    if named.folder.total:
        named.access.require(Right.FOLDERS)
        empty_folder(named.access, named.folder.id)
    with transaction.atomic():
        delete_folder(named.access, named.folder.id)
        forget_annotations(named.access, named.folder.id)
    return named.folder.id


def _rename(session: Session, old: str, new: str) -> None:
    named = session.directory.find(old)
    assert named.access is not None
    assert named.folder is not None
    access, parent, levels = session.directory.place(new)
    if access.mailbox != named.access.mailbox:
        raise NoError("CANNOT", "A mailbox stays with its owner")
    if named.folder.role == Role.INBOX:
        _move_inbox(named.access, named.folder.id, parent, levels)
        return
    if new.startswith(old + DELIMITER):
        raise NoError("CANNOT", "A mailbox can't lie in itself")
    with transaction.atomic():
        for level in levels[:-1]:
            parent = create_folder(access, level, parent_id=parent)
        relocate_folder(access, named.folder.id, parent_id=parent, name=levels[-1])


def _move_inbox(access: Access, inbox: int, parent: int, levels: list[str]) -> None:
    with transaction.atomic():
        for level in levels:
            parent = create_folder(access, level, parent_id=parent)
        copy_annotations(access, inbox, parent)
    move(access, Selection(folder_id=inbox), folder_id=parent)
