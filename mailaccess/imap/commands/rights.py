"""MYRIGHTS, GETACL, LISTRIGHTS, SETACL, DELETEACL (RFC 4314) over the grants of a whole mailbox.

A grant counts for every folder of a mailbox, so an access list is the same everywhere and is changed at INBOX alone: a
program that means one folder must not open all of them. LISTRIGHTS says so: what is given at INBOX is always granted in
the other folders, and nothing else can be. The rights of a level are tied (RFC 4314 2): all or none.
"""

from __future__ import annotations

from collections.abc import Sequence, Set as AbstractSet

from accounts.models import Account
from accounts.rows import Level
from accounts.selectors import grants_of
from accounts.services import grant_mailbox, revoke_mailbox
from core.access import Access, Right
from mailaccess.directory import Named
from mailaccess.imap.errors import NoError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.names import decode_name
from mailaccess.imap.grammar.strings import mailbox, string
from mailaccess.imap.session import Answer, Session
from mailstore.models import Role

READ, CHANGE, POST = "lr", "swikxte", "p"
"""The tied groups; what a level has is these from the left."""
LEVELS = {Level.READER: READ, Level.EDITOR: READ + CHANGE, Level.SENDER: READ + CHANGE + POST}
OWNER = READ + CHANGE + POST + "a"
KNOWN = frozenset(OWNER + "cd")
OLD = {"c": "kx", "d": "te"}
"""What RFC 2086 called them; told beside the new ones, and read (RFC 4314 2.1.1)."""


async def my_rights(session: Session, cursor: Cursor) -> Answer:
    """`MYRIGHTS mailbox`."""
    name = _name(session, cursor)
    cursor.end()
    named = await session.find(name)
    session.write(b"* MYRIGHTS " + _shown(session, named) + b" " + _rights_here(named).encode() + b"\r\n")
    return Answer("Done")


async def get_list(session: Session, cursor: Cursor) -> Answer:
    """`GETACL mailbox`: for the owner."""
    name = _name(session, cursor)
    cursor.end()
    session.write(await session.run(_list_of, session, name))
    return Answer("Done")


async def list_rights(session: Session, cursor: Cursor) -> Answer:
    """`LISTRIGHTS mailbox identifier`; the identifier is told as it was asked (RFC 4314 3.4)."""
    name = _name(session, cursor)
    identifier = _identifier(cursor)
    cursor.end()
    named, groups = await session.run(_grantable, session, name, identifier)
    head = b"* LISTRIGHTS " + _shown(session, named) + b" " + string(identifier.encode())
    session.write(head + f" {groups}\r\n".encode())
    return Answer("Done")


async def set_rights(session: Session, cursor: Cursor) -> Answer:
    """`SETACL mailbox identifier [+-]rights`."""
    name = _name(session, cursor)
    identifier = _identifier(cursor)
    cursor.space()
    how, rights = _asked(cursor.astring())
    cursor.end()
    session.write(await session.run(_set, session, name, identifier, how, rights))
    return Answer("Done")


async def delete_rights(session: Session, cursor: Cursor) -> Answer:
    """`DELETEACL mailbox identifier`."""
    name = _name(session, cursor)
    identifier = _identifier(cursor)
    cursor.end()
    session.write(await session.run(_set, session, name, identifier, "", frozenset()))
    return Answer("Done")


def rights_of(access: Access) -> str:
    """What an access may do, in letters; without RFC 2086's."""
    if access.may(Right.MANAGE):
        return OWNER
    held = READ if access.may(Right.READ) else ""
    held += CHANGE if access.may(Right.FLAG | Right.INSERT | Right.DELETE) else ""
    return held + (POST if access.may(Right.SEND) else "")


def _rights_here(named: Named) -> str:
    assert named.access is not None
    assert named.folder is not None
    held = rights_of(named.access)
    if named.folder.is_read_only:
        held = "".join(right for right in held if right not in CHANGE)
    return _written(held)


def _grantable(session: Session, name: str, identifier: str) -> tuple[Named, str]:
    """The mailbox, and what somebody always has there and can be given (RFC 4314 3.7)."""
    named, owner = _managed(session, name)
    assert named.folder is not None
    if identifier.lower() == owner.address:
        return named, _written(OWNER)
    grantee = _grantee(owner, identifier)
    if grantee is None:
        return named, '""'
    if named.folder.role != Role.INBOX:
        return named, _written(_held(owner, grantee)) or '""'
    return named, f'"" {READ} {_written(CHANGE)} {POST}'


def _grantee(owner: Account, identifier: str) -> Account | None:
    """Who can be given rights: another person of the domain. `anyone` and negative rights are nobody's here."""
    return Account.objects.filter(address=identifier.lower(), domain=owner.domain_id).exclude(pk=owner.pk).first()


def _held(owner: Account, grantee: Account) -> str:
    return next((LEVELS[Level(each.level)] for each in grants_of(owner) if each.grantee_id == grantee.pk), "")


def _list_of(session: Session, name: str) -> bytes:
    named, owner = _managed(session, name)
    return _lists(session, [named], owner)


def _lists(session: Session, mailboxes: Sequence[Named], owner: Account) -> bytes:
    """The access lists of mailboxes of one owner, which are alike."""
    pairs = [(owner.address, OWNER), *((each.grantee.address, LEVELS[Level(each.level)]) for each in grants_of(owner))]
    listed = b"".join(b" " + string(who.encode()) + b" " + _written(rights).encode() for who, rights in pairs)
    return b"".join(b"* ACL " + _shown(session, each) + listed + b"\r\n" for each in mailboxes)


def _set(session: Session, name: str, identifier: str, how: str, rights: frozenset[str]) -> bytes:
    """Untagged: the lists of all other mailboxes, which changed with this one (RFC 4314 5.1.1)."""
    named, owner = _managed(session, name)
    assert named.folder is not None
    grantee = _grantee(owner, identifier)
    if grantee is None:
        raise NoError("CANNOT", "Rights are given to other people of the same domain")
    held = _held(owner, grantee)
    wanted = {"+": rights | set(held), "-": set(held) - rights}.get(how, rights)
    level = _level(wanted)
    if level is None and wanted and how != "-":
        raise NoError("CANNOT", f"Rights come together: {READ}, {READ + CHANGE}, {READ + CHANGE + POST}")
    if (LEVELS[level] if level is not None else "") == held and wanted:
        return b""  # nothing of it changes what he has
    if named.folder.role != Role.INBOX:
        raise NoError("CANNOT", "Rights count for the whole mailbox: set them at INBOX")
    actor = session.directory.account
    if level is not None:
        grant_mailbox(owner, grantee, level, actor=actor)
    elif held:
        revoke_mailbox(owner, grantee, actor=actor)
    else:
        return b""
    here = named.folder.id
    others = [each for each in session.directory.names(only_own=True) if each.folder and each.folder.id != here]
    return _lists(session, others, owner)


def _level(wanted: AbstractSet[str]) -> Level | None:
    """The highest level whose rights are all wanted, None for none: of a tied group a part gives nothing (RFC 4314 2),
    and `a` is the owner's alone."""
    fitting = [level for level, rights in LEVELS.items() if set(rights) <= wanted]
    return fitting[-1] if fitting else None


def _managed(session: Session, name: str) -> tuple[Named, Account]:
    """The mailbox and its owner; only who manages it sees or changes its list (RFC 4314 4)."""
    named = session.directory.find(name)
    assert named.access is not None
    named.access.require(Right.MANAGE)
    return named, Account.objects.get(pk=named.access.mailbox)


def _asked(text: bytes) -> tuple[str, frozenset[str]]:
    word = text.decode("ascii", "replace")
    how = word[:1] if word[:1] in {"+", "-"} else ""
    letters = word[len(how) :]
    if not set(letters) <= KNOWN:
        raise ImapSyntaxError("unknown right")
    new = {each for letter in letters for each in OLD.get(letter, letter)}
    return how, frozenset(new)


def _written(rights: str) -> str:
    return rights + "".join(old for old, new in OLD.items() if set(new) & set(rights))


def _identifier(cursor: Cursor) -> str:
    cursor.space()
    found = cursor.astring().decode("utf-8", "replace")
    if not found or not found.isprintable():
        raise ImapSyntaxError("bad identifier")  # RFC 4314 3
    return found


def _name(session: Session, cursor: Cursor) -> str:
    cursor.space()
    return decode_name(cursor.astring(), utf8=session.utf8)


def _shown(session: Session, named: Named) -> bytes:
    return mailbox(named.name, utf8=session.utf8)
