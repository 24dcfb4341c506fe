"""THREAD and UID THREAD (RFC 5256)."""

from __future__ import annotations

from mailaccess.imap.commands.search import found
from mailaccess.imap.errors import BadError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.search.run import charset_of, finished, keys
from mailaccess.imap.search.threading import ALGORITHMS, threaded
from mailaccess.imap.session import Answer, Session


async def thread(session: Session, cursor: Cursor) -> Answer:
    """`THREAD algorithm charset keys`."""
    return await _run(session, cursor, by_uid=False)


async def uid_thread(session: Session, cursor: Cursor) -> Answer:
    """`UID THREAD …`: answers in UIDs."""
    return await _run(session, cursor, by_uid=True)


async def _run(session: Session, cursor: Cursor, *, by_uid: bool) -> Answer:
    cursor.space()
    algorithm = cursor.atom().upper()
    if algorithm not in ALGORITHMS:
        raise BadError("Unknown thread algorithm")
    cursor.space()
    charset = charset_of(cursor.astring())
    cursor.space()
    key = keys(cursor, charset)
    view = session.selected()
    results = await found(session, view, key, by_uid=by_uid)
    steps = threaded(view.folder_id, results.uids, results.positions, algorithm, by_uid=by_uid)
    session.write(await finished(session, steps))
    return Answer("Threaded", expunge=by_uid)
