"""IDLE (RFC 2177, RFC 9051 6.3.13): the change feed wakes, what changed is read and told."""

from __future__ import annotations

import asyncio

from mailaccess.imap.commands import notify
from mailaccess.imap.errors import BadError
from mailaccess.imap.feed import feed
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.session import Answer, Session

IDLE_MAX_S = 29 * 60.0
"""Clients begin anew after 29 minutes (RFC 2177 3); a connection without a word for longer is closed."""
STAY_S = 600.0
"""How often a client that only waits is looked at: a thousand of them cost nothing; one that is told something is looked at
before."""
HERE_S = 120.0
"""How often an idle client is told that the server is there: keeps the routers of phones from forgetting it."""


async def run(session: Session, cursor: Cursor) -> Answer:
    """`IDLE` … `DONE`."""
    cursor.end()
    woken = asyncio.Event()
    mailbox = session.view.access.mailbox if session.view else None
    if mailbox is not None:
        feed.listen(mailbox, woken.set)
    if session.watch is not None:
        session.watch.listeners.add(woken.set)
    try:
        session.write(b"+ idling\r\n")
        await notify.tell(session)  # what changed before the feed was heard
        await session.wire.drain()
        await _until_done(session, woken)
    finally:
        if mailbox is not None:
            feed.leave(mailbox, woken.set)
        if session.watch is not None:
            session.watch.listeners.discard(woken.set)
    return Answer("Idle completed")


async def _until_done(session: Session, woken: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + IDLE_MAX_S
    line = asyncio.ensure_future(session.wire.line(IDLE_MAX_S))
    try:
        while True:
            waiting = asyncio.ensure_future(woken.wait())
            await asyncio.wait({line, waiting}, timeout=HERE_S, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if line.done():
                if line.result().upper() != b"DONE":
                    raise BadError("Expected DONE")
                return
            if woken.is_set():
                woken.clear()
                await session.stay()
                await notify.tell(session)
            elif loop.time() < end:
                await session.stay(STAY_S)
                session.untagged("OK Still here")
            await session.wire.drain()
    finally:
        line.cancel()
