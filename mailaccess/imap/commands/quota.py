"""GETQUOTA and GETQUOTAROOT (RFC 9208): a mailbox's space. The root is named by the owner's address."""

from __future__ import annotations

from accounts.selectors import access_for, mailboxes_of
from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailaccess.directory import canonical
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.names import decode_name
from mailaccess.imap.grammar.strings import mailbox, string
from mailaccess.imap.session import Answer, Session
from mailstore.selectors.folders import Usage, mailbox_usage

UNIT_BYTES = 1_024
"""STORAGE is counted in these (RFC 9208 5.1)."""


async def quota(session: Session, cursor: Cursor) -> Answer:
    """`GETQUOTA root`."""
    cursor.space()
    root = cursor.astring()
    cursor.end()
    session.write(await session.run(_of_root, session, root.decode("utf-8", "replace")))
    return Answer("Done")


async def quota_root(session: Session, cursor: Cursor) -> Answer:
    """`GETQUOTAROOT mailbox`: the roots that count it, and what they hold."""
    cursor.space()
    name = decode_name(cursor.astring(), utf8=session.utf8)
    cursor.end()
    session.write(await session.run(_of_mailbox, session, name))
    return Answer("Done")


def _of_root(session: Session, root: str) -> bytes:
    """NOT_FOUND for a mailbox that isn't one's own nor granted."""
    found = next((each for each in mailboxes_of(session.directory.account) if each.address == root.lower()), None)
    if found is None:
        raise MailError(ErrorKind.NOT_FOUND)
    access = access_for(session.directory.account, found.id, via=session.via)
    access.require(Right.READ)
    return _line(found.address, mailbox_usage(access))


def _of_mailbox(session: Session, name: str) -> bytes:
    access, exempt = _place(session, name)
    shown = mailbox(canonical(name), utf8=session.utf8)
    if exempt:
        return b"* QUOTAROOT " + shown + b"\r\n"
    owned = {each.id: each.address for each in mailboxes_of(session.directory.account)}
    root = owned[access.mailbox]
    head = b"* QUOTAROOT " + shown + b" " + string(root.encode()) + b"\r\n"
    return head + _line(root, mailbox_usage(access))


def _place(session: Session, name: str) -> tuple[Access, bool]:
    """Whose space a mailbox counts in, and whether it does not count. One that does not exist yet counts as it would when
    it is made (RFC 9208 4.1.2)."""
    try:
        named = session.directory.find(name)
    except MailError as error:
        if error.kind is not ErrorKind.NOT_FOUND:
            raise
        try:
            return session.directory.place(name)[0], False
        except MailError:
            raise error from None
    assert named.access is not None
    assert named.folder is not None
    return named.access, named.folder.is_quota_exempt


def _line(root: str, usage: Usage) -> bytes:
    used, limit = -(-usage.used_bytes // UNIT_BYTES), usage.quota_bytes // UNIT_BYTES
    return b"* QUOTA " + string(root.encode()) + f" (STORAGE {used} {limit})\r\n".encode()
