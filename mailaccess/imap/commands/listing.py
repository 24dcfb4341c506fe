"""LIST and LSUB (RFC 9051 6.3.9, RFC 5258 LIST-EXTENDED, RFC 5819 LIST-STATUS, RFC 6154 SPECIAL-USE)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mailaccess.directory import DELIMITER, Named, canonical
from mailaccess.imap.commands.status import Items, status_items, status_line
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.names import decode_name
from mailaccess.imap.grammar.strings import mailbox
from mailaccess.imap.session import Answer, Session
from mailaccess.subscriptions import subscribed

SELECTIONS = {b"SUBSCRIBED", b"REMOTE", b"RECURSIVEMATCH", b"SPECIAL-USE"}
RETURNS = {b"SUBSCRIBED", b"CHILDREN", b"SPECIAL-USE"}
MAX_PATTERNS = 50
MAX_PATTERN_CHARS = 1_000


@dataclass(slots=True)
class Asked:
    """A parsed LIST."""

    selections: set[bytes] = field(default_factory=set)
    reference: str = ""
    patterns: list[str] = field(default_factory=list)
    is_extended: bool = False
    returns: set[bytes] = field(default_factory=set)
    status: Items | None = None


async def run(session: Session, cursor: Cursor) -> Answer:
    """`LIST [(selection)] reference pattern [RETURN (options)]`."""
    asked = _parsed(session, cursor)
    if not asked.is_extended and asked.patterns == [""]:
        session.untagged(f'LIST (\\Noselect) "{DELIMITER}" ""')  # RFC 9051 6.3.9: the delimiter
        return Answer("Done")
    session.write(await session.run(_lines, session, asked))
    return Answer("Done")


async def lsub(session: Session, cursor: Cursor) -> Answer:
    """`LSUB reference pattern` (RFC 3501 6.3.9)."""
    cursor.space()
    reference = decode_name(cursor.astring(), utf8=session.utf8)
    cursor.space()
    pattern = decode_name(cursor.list_mailbox(), utf8=session.utf8)
    cursor.end()
    asked = Asked({b"SUBSCRIBED"}, reference, [pattern])
    lines: bytes = await session.run(_lines, session, asked)
    for old, new in ((b"* LIST ", b"* LSUB "), (b"\\Subscribed ", b""), (b"\\NonExistent", b"\\Noselect")):
        lines = lines.replace(old, new)
    session.write(lines + await session.run(_levels, session, asked))
    return Answer("Done")


def _levels(session: Session, asked: Asked) -> bytes:
    """LSUB of what is not subscribed itself and matches, while something below it is subscribed and does not (RFC 3501
    6.3.9)."""
    subscriptions = subscribed(session.directory.account)
    pattern = _pattern(canonical(asked.reference + asked.patterns[0]))
    hidden = (name.split(DELIMITER) for name in subscriptions if not pattern.fullmatch(name))
    above = {DELIMITER.join(levels[:count]) for levels in hidden for count in range(1, len(levels))}
    lines = [
        list_line(session, name, ["\\Noselect"]) for name in sorted(above - subscriptions) if pattern.fullmatch(name)
    ]
    return b"".join(lines).replace(b"* LIST ", b"* LSUB ")


def _parsed(session: Session, cursor: Cursor) -> Asked:
    asked = Asked()
    cursor.space()
    if cursor.peek() == b"(":
        asked.is_extended = True
        asked.selections = (
            set(cursor.listed(cursor.atom, may_be_empty=True)) if cursor.peek(2) != b"()" else _empty(cursor)
        )
        asked.selections = {each.upper() for each in asked.selections}
        if asked.selections - SELECTIONS or (
            b"RECURSIVEMATCH" in asked.selections and asked.selections <= {b"RECURSIVEMATCH", b"REMOTE"}  # RFC 5258 3.1
        ):
            raise ImapSyntaxError("unknown LIST selection")
        cursor.space()
    asked.reference = decode_name(cursor.astring(), utf8=session.utf8)
    cursor.space()
    if cursor.peek() == b"(":
        asked.is_extended = True
        patterns = cursor.listed(cursor.list_mailbox)
    else:
        patterns = [cursor.list_mailbox()]
    if len(patterns) > MAX_PATTERNS or any(len(each) > MAX_PATTERN_CHARS for each in patterns):
        raise ImapSyntaxError("too many patterns")
    asked.patterns = [decode_name(each, utf8=session.utf8) for each in patterns]
    if cursor.skip(b" "):
        asked.is_extended = True
        cursor.expect(b"RETURN ")
        cursor.listed(lambda: _return(cursor, asked), may_be_empty=True)
    cursor.end()
    return asked


def _empty(cursor: Cursor) -> set[bytes]:
    cursor.expect(b"()")
    return set()


def _return(cursor: Cursor, asked: Asked) -> None:
    if cursor.skip(b"STATUS "):
        asked.status = status_items(cursor)
        return
    word = cursor.atom().upper()
    if word not in RETURNS:
        raise ImapSyntaxError("unknown LIST return option")
    asked.returns.add(word)


def _lines(session: Session, asked: Asked) -> bytes:
    names = session.directory.names()
    subscriptions = subscribed(session.directory.account)
    patterns = [_pattern(canonical(asked.reference + each)) for each in asked.patterns]
    found: list[bytes] = []
    for named in names:
        if not any(pattern.fullmatch(named.name) for pattern in patterns):
            continue
        is_subscribed = named.name in subscriptions
        below = b"RECURSIVEMATCH" in asked.selections and _subscribed_below(named, subscriptions, patterns)
        if b"SUBSCRIBED" in asked.selections and not (is_subscribed or below):
            continue
        if b"SPECIAL-USE" in asked.selections and not named.special_use:
            continue
        found.append(_line(session, named, asked, is_subscribed=is_subscribed, below=below))
        if asked.status is not None and named.folder is not None and not named.folder.is_locked:
            found.append(status_line(session, named, asked.status))
    known = {named.name for named in names}
    if b"SUBSCRIBED" in asked.selections:
        lost = (name for name in sorted(subscriptions - known) if any(each.fullmatch(name) for each in patterns))
        found += [list_line(session, name, ["\\Subscribed", "\\NonExistent"]) for name in lost]  # RFC 5258 3.1
    return b"".join(found)


def _subscribed_below(named: Named, subscriptions: set[str], patterns: list[re.Pattern[str]]) -> bool:
    """Whether something subscribed lies below that is not told itself (RFC 5258 3.5)."""
    below = (each for each in subscriptions if each.startswith(named.name + DELIMITER))
    return any(not any(pattern.fullmatch(each) for pattern in patterns) for each in below)


def _line(session: Session, named: Named, asked: Asked, *, is_subscribed: bool, below: bool) -> bytes:
    attributes = [] if named.folder is not None else ["\\Noselect"]
    if is_subscribed and (asked.selections | asked.returns) & {b"SUBSCRIBED"}:
        attributes.append("\\Subscribed")
    attributes.append("\\HasChildren" if named.has_children else "\\HasNoChildren")
    if named.special_use:
        attributes.append(named.special_use)
    extended = b' ("CHILDINFO" ("SUBSCRIBED"))' if below else b""
    return list_line(session, named.name, attributes, extended)


def list_line(session: Session, name: str, attributes: list[str], extended: bytes = b"") -> bytes:
    """An untagged LIST; `extended` is its last part with the space before it (RFC 5258 6)."""
    shown = mailbox(name, utf8=session.utf8)
    return f'* LIST ({" ".join(attributes)}) "{DELIMITER}" '.encode() + shown + extended + b"\r\n"


def _pattern(text: str) -> re.Pattern[str]:
    """`*` matches everything, `%` everything on one level (RFC 9051 6.3.9). Runs of stars are one: no slow pattern."""
    parts = re.split(r"([*%]+)", text)
    made = "".join(
        (".*" if "*" in part else f"[^{DELIMITER}]*") if part[:1] in "*%" and part else re.escape(part)
        for part in parts
    )
    return re.compile(made, re.DOTALL)
