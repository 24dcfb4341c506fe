"""NOTIFY (RFC 5465): what the client hears of without asking, of all its mailboxes."""

from __future__ import annotations

import dataclasses

from mailaccess.directory import DELIMITER, Named
from mailaccess.imap.commands.listing import list_line
from mailaccess.imap.commands.status import status_line
from mailaccess.imap.errors import NoError
from mailaccess.imap.fetching import Fetcher
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.fetch import Item
from mailaccess.imap.grammar.names import decode_name
from mailaccess.imap.grammar.notify import EVENTS, Asked, notify_arguments
from mailaccess.imap.grammar.strings import astring, mailbox
from mailaccess.imap.session import Answer, Session
from mailaccess.imap.watch import Picture, Watch, names_of, take_picture

NAMING = frozenset({"CREATE", "DELETE", "RENAME", "SUBSCRIBE", "UNSUBSCRIBE", "SETMETADATA"})
"""What they do is no news to who did it (RFC 5465 5)."""
CHANGING = frozenset({"STORE", "EXPUNGE", "MOVE", "REPLACE"})
"""They are answered by what changed in the selected mailbox, whatever NOTIFY wants of it."""
OPENING = frozenset({"SELECT", "EXAMINE"})
"""Their answers are news enough; what comes meanwhile is told with the next command's."""
STORING = frozenset({"APPEND", "COPY"})
"""What a client stored itself is not fetched for it (RFC 5465 5.2)."""


async def run(session: Session, cursor: Cursor) -> Answer:
    """`NOTIFY NONE` or `NOTIFY SET [STATUS] (mailboxes events) …`."""
    cursor.space()
    asked = notify_arguments(cursor)
    cursor.end()
    if any(group.unknown for group in asked.groups):
        raise NoError(f"BADEVENT ({' '.join(EVENTS.values())})", "This event is not supported")
    await tell_after(session, "NOTIFY", Answer(""))  # RFC 5465 3.1: an implicit NOOP, by the rules until now
    watch, lines = await session.run(_begun, session, asked)
    session.write(lines)
    session.start_watch(watch)
    return Answer("Done")


async def tell_after(session: Session, command: str, answer: Answer) -> None:
    """What is told before a command's tagged answer."""
    if session.watch is None:
        if command not in OPENING:
            await session.tell_all(expunge=answer.expunge)
        return
    if command in NAMING:
        await _absorb(session)
    if command in CHANGING:
        await session.tell_all(expunge=answer.expunge)  # its own answers are among the news
        return
    await tell_selected(session, expunge=answer.expunge, fetch=command not in STORING)


async def tell(session: Session, *, expunge: bool = True) -> None:
    """Everything that is new, between two commands or in IDLE. EXPUNGE waits with SELECTED-DELAYED unless `expunge`."""
    watch = session.watch
    if watch is None:
        await session.tell_all(expunge=expunge)
        return
    watch.is_woken = False
    await tell_selected(session, expunge=expunge)
    session.write(await session.run(_news, session, watch))
    watch.listen()


async def tell_selected(session: Session, *, expunge: bool, fetch: bool = True) -> None:
    """News of the selected mailbox, as SELECTED wants them. `fetch`: what is new may be fetched at once."""
    watch, view = session.watch, session.view
    group = watch.asked.selected if watch is not None else None
    if view is None or group is None or "MessageNew" not in group.events:
        return
    begin = view.uidnext
    await session.tell_all(expunge=expunge or group.where == "selected", flags="FlagChange" in group.events)
    if not group.items or not fetch or view.uidnext <= begin:
        return
    items = [dataclasses.replace(item, peek=True) if item.section else item for item in group.items]
    items = [item for item in items if not item.marks_seen]
    with_uid = items if Item(b"UID") in items else [Item(b"UID"), *items]
    pieces = Fetcher(view, with_uid, with_modseq=session.condstore).chunks([(begin, view.uidnext - 1)])
    while (piece := await session.run(next, pieces, None)) is not None:
        session.write(piece)
        await session.wire.drain()


async def _absorb(session: Session) -> None:
    """After a command of its own that made, renamed, subscribed or annotated something: that is no news to it."""
    if session.watch is not None:
        watch = session.watch
        watch.absorb(await session.run(take_picture, session.directory, with_notes=watch.wants_notes))


def _begun(session: Session, asked: Asked) -> tuple[Watch, bytes]:
    """The watch, and the STATUS of everything whose messages are watched, when that was asked for."""
    names = names_of(asked, lambda name: decode_name(name, utf8=session.utf8))
    watch = Watch(asked, names, Picture({}, frozenset(), {}))
    watch.picture = picture = take_picture(session.directory, with_notes=watch.wants_notes)
    if not asked.status:
        return watch, b""
    lines = []
    for name, named in picture.names.items():
        events = watch.events(name, picture=picture) if named.folder is not None else set()
        if "MessageNew" in events and not _is_selected(session, name):
            items = [b"MESSAGES", b"UIDNEXT", b"UIDVALIDITY"]
            items += [b"UNSEEN", b"HIGHESTMODSEQ"] if "FlagChange" in events else []
            lines.append(status_line(session, named, items))
    return watch, b"".join(lines)


def _news(session: Session, watch: Watch) -> bytes:
    now = take_picture(session.directory, with_notes=watch.wants_notes)
    selected = session.view.name if session.view else None
    lines = [*_names(session, watch, now), *_subscriptions(session, watch, now), *_notes(session, watch, now)]
    lines += [_status(session, named, kinds) for named, kinds in watch.counted(now, selected)]
    watch.picture = now
    return b"".join(lines)


def _status(session: Session, named: Named, kinds: set[str]) -> bytes:
    """RFC 5465 5.1 to 5.3; nothing for flags that neither count nor are followed by mod-sequence."""
    if "new" in kinds:
        items = [b"MESSAGES", b"UIDNEXT"]
    elif "unseen" in kinds or session.condstore:
        items = [b"UIDVALIDITY"]
    else:
        return b""
    items += [b"UNSEEN"] if "unseen" in kinds else []
    items += [b"HIGHESTMODSEQ"] if session.condstore else []
    return status_line(session, named, items)


def _names(session: Session, watch: Watch, now: Picture) -> list[bytes]:
    """MailboxName: LIST of what was made, is gone or has another name, and of what they lie in (RFC 5465 5.4)."""
    made, gone = watch.made_and_gone(now)
    affected = dict.fromkeys([*made, *gone])
    parents = [name.rpartition(DELIMITER)[0] for name in affected]
    affected |= dict.fromkeys(name for name in parents if name and name in now.names)
    lines = [_list(session, name, now) for name in affected if _wants(watch, name, now, "MailboxName")]
    for old, new in watch.renamed(now):
        if _wants(watch, old, now, "MailboxName") or _wants(watch, new, now, "MailboxName"):
            before = b' ("OLDNAME" (' + mailbox(old, utf8=session.utf8) + b"))"
            lines.append(_list(session, new, now, extended=before))
    return lines


def _subscriptions(session: Session, watch: Watch, now: Picture) -> list[bytes]:
    changed = sorted(watch.picture.subscriptions ^ now.subscriptions)
    wanted = (
        name
        for name in changed
        if _wants(watch, name, now, "SubscriptionChange") or _wants(watch, name, watch.picture, "SubscriptionChange")
    )
    return [_list(session, name, now) for name in wanted]


def _notes(session: Session, watch: Watch, now: Picture) -> list[bytes]:
    """MailboxMetadataChange and ServerMetadataChange: the entries' names (RFC 5464 4.4.2)."""
    changed = sorted(key for key, _ in set(watch.picture.notes.items()) ^ set(now.notes.items()))
    names = now.by_id()
    lines: dict[str, list[str]] = {}
    for folder_id, entry in dict.fromkeys(changed):
        name = names.get(folder_id) if folder_id else ""
        if name is None:
            continue
        server = any("ServerMetadataChange" in group.events for group in watch.asked.groups)
        if server if not name else _wants(watch, name, now, "MailboxMetadataChange"):
            lines.setdefault(name, []).append(entry)
    return [
        b"* METADATA "
        + (mailbox(name, utf8=session.utf8) if name else b'""')
        + b" "
        + b" ".join(astring(each.encode()) for each in entries)
        + b"\r\n"
        for name, entries in lines.items()
    ]


def _wants(watch: Watch, name: str, picture: Picture, event: str) -> bool:
    return event in watch.events(name, picture=picture)


def _list(session: Session, name: str, now: Picture, *, extended: bytes = b"") -> bytes:
    named = now.names.get(name)
    attributes = ["\\Subscribed"] if name in now.subscriptions else []
    if named is None:
        attributes.append("\\NonExistent")
    else:
        attributes += [] if named.folder is not None else ["\\Noselect"]
        attributes.append("\\HasChildren" if named.has_children else "\\HasNoChildren")
        attributes += [named.special_use] if named.special_use else []
    return list_line(session, name, attributes, extended)


def _is_selected(session: Session, name: str) -> bool:
    return session.view is not None and session.view.name == name
