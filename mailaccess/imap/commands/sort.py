"""SORT and UID SORT (RFC 5256, RFC 5957), with RETURN (ESORT, RFC 5267 3)."""

from __future__ import annotations

import dataclasses

from mailaccess.imap.commands.search import found, return_options, told
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.sort import criteria
from mailaccess.imap.search.order import sorted_by
from mailaccess.imap.search.run import charset_of, finished, keys
from mailaccess.imap.session import Answer, Session


async def sort(session: Session, cursor: Cursor) -> Answer:
    """`SORT [RETURN (options)] (criteria) charset keys`."""
    return await _run(session, cursor, by_uid=False)


async def uid_sort(session: Session, cursor: Cursor) -> Answer:
    """`UID SORT …`: answers in UIDs."""
    return await _run(session, cursor, by_uid=True)


async def _run(session: Session, cursor: Cursor, *, by_uid: bool) -> Answer:
    cursor.space()
    wanted = return_options(cursor)
    order = criteria(cursor)
    cursor.space()
    charset = charset_of(cursor.astring())
    cursor.space()
    key = keys(cursor, charset)
    view = session.selected()
    results = await found(session, view, key, by_uid=by_uid)
    steps = sorted_by(view.folder_id, results.uids, results.positions, order)
    results = dataclasses.replace(results, positions=await finished(session, steps))
    session.write(await session.run(told, session.tag, view, "SORT", wanted, results))
    return Answer("Sorted", expunge=by_uid)
