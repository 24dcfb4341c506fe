"""NOTIFY's arguments (RFC 5465 8)."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.fetch import Item, fetch_attributes

MESSAGE_EVENTS = {b"MESSAGENEW": "MessageNew", b"MESSAGEEXPUNGE": "MessageExpunge", b"FLAGCHANGE": "FlagChange"}
OTHER_EVENTS = {
    b"MAILBOXNAME": "MailboxName",
    b"SUBSCRIPTIONCHANGE": "SubscriptionChange",
    b"MAILBOXMETADATACHANGE": "MailboxMetadataChange",
    b"SERVERMETADATACHANGE": "ServerMetadataChange",
}
EVENTS = MESSAGE_EVENTS | OTHER_EVENTS
MAX_GROUPS = 50
MAX_NAMES = 500
_SELECTED = (b"SELECTED-DELAYED", b"SELECTED")
_WIDE = (b"INBOXES", b"PERSONAL", b"SUBSCRIBED")
_NAMED = (b"SUBTREE", b"MAILBOXES")


@dataclass(slots=True)
class Group:
    """Mailboxes and what happens there. `names` are as the client wrote them; `where` is the specifier in lower case."""

    where: str = ""
    names: list[bytes] = field(default_factory=list)
    events: set[str] = field(default_factory=set)
    items: list[Item] = field(default_factory=list)
    """What MessageNew fetches."""
    unknown: bool = False
    """An event that nobody supports."""


@dataclass(slots=True)
class Asked:
    """A parsed NOTIFY; no group for NONE."""

    status: bool = False
    groups: list[Group] = field(default_factory=list)

    @property
    def selected(self) -> Group | None:
        """What is wanted of the selected mailbox."""
        return next((each for each in self.groups if each.where.startswith("selected")), None)


def notify_arguments(cursor: Cursor) -> Asked:
    """`NONE`, or `SET [STATUS] (mailboxes events) …`."""
    if cursor.skip(b"NONE"):
        return Asked()
    cursor.expect(b"SET ")
    asked = Asked(status=cursor.skip(b"STATUS "))
    asked.groups.append(_group(cursor))
    while cursor.skip(b" "):
        asked.groups.append(_group(cursor))
    if len(asked.groups) > MAX_GROUPS or sum(len(each.names) for each in asked.groups) > MAX_NAMES:
        raise ImapSyntaxError("too many mailboxes")
    if sum(each.where.startswith("selected") for each in asked.groups) > 1:
        raise ImapSyntaxError("only one of SELECTED and SELECTED-DELAYED")
    return asked


def _group(cursor: Cursor) -> Group:
    group = Group()
    cursor.expect(b"(")
    word = next((each for each in (*_SELECTED, *_WIDE, *_NAMED) if cursor.skip(each)), None)
    if word is None:
        raise ImapSyntaxError("unknown mailbox specifier")
    group.where = word.decode().lower()
    cursor.space()
    if word in _NAMED:
        group.names = cursor.one_or_listed(cursor.astring)
        cursor.space()
    if not cursor.skip(b"NONE"):
        cursor.expect(b"(")
        _event(cursor, group)
        while cursor.skip(b" "):
            _event(cursor, group)
        cursor.expect(b")")
    cursor.expect(b")")
    _check(group)
    return group


def _event(cursor: Cursor, group: Group) -> None:
    word = cursor.atom().upper()
    if word not in EVENTS:
        group.unknown = True
        return
    group.events.add(EVENTS[word])
    if word == b"MESSAGENEW" and cursor.peek(2) == b" (":
        cursor.space()
        if group.where not in {"selected", "selected-delayed"}:
            raise ImapSyntaxError("only the selected mailbox is fetched from")
        group.items = fetch_attributes(cursor)


def _check(group: Group) -> None:
    """RFC 5465 5: new and expunged come together, flags with both."""
    if group.unknown:
        return
    known = group.events & set(MESSAGE_EVENTS.values())
    if known and not known >= {"MessageNew", "MessageExpunge"}:
        raise ImapSyntaxError("MessageNew and MessageExpunge come together")
    if group.where.startswith("selected") and group.events != known:
        raise ImapSyntaxError("only message events of the selected mailbox")  # RFC 5465 6.1
