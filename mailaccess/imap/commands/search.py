"""SEARCH and UID SEARCH (RFC 9051 6.4.4, RFC 3501 6.4.4), with RETURN (RFC 4731, RFC 5182, RFC 9394)."""

from __future__ import annotations

import time

from core.errors import MailError
from mailaccess.imap.errors import BadError, NoError
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.grammar.returns import Returns, returns
from mailaccess.imap.grammar.search import Changed, Key, mentions
from mailaccess.imap.search import answers, masks
from mailaccess.imap.search.answers import Results
from mailaccess.imap.search.evaluate import Evaluator
from mailaccess.imap.search.run import charset_of, finished, keys
from mailaccess.imap.session import Answer, Session
from mailaccess.imap.view import View


async def search(session: Session, cursor: Cursor) -> Answer:
    """`SEARCH [RETURN (options)] [CHARSET name] keys`."""
    return await _run(session, cursor, by_uid=False)


async def uid_search(session: Session, cursor: Cursor) -> Answer:
    """`UID SEARCH …`: answers in UIDs."""
    return await _run(session, cursor, by_uid=True)


async def _run(session: Session, cursor: Cursor, *, by_uid: bool) -> Answer:
    cursor.space()
    wanted = return_options(cursor)
    view = session.selected()
    try:
        key = keys(cursor, _charset(session, cursor))
        results = await found(session, view, key, by_uid=by_uid)
        wanted = wanted or (Returns(frozenset({"all"})) if session.rev2 else None)  # RFC 9051 7.3.4
        session.write(await session.run(told, session.tag, view, "SEARCH", wanted, results))
    except (MailError, NoError):
        if wanted is not None and wanted.save:
            view.saved = []  # RFC 5182 2.1: a search that failed leaves nothing
        raise
    return Answer("Searched", expunge=by_uid)


def return_options(cursor: Cursor) -> Returns | None:
    """`RETURN (…) `, if it is there."""
    if not cursor.skip(b"RETURN "):
        return None
    options = returns(cursor)
    cursor.space()
    return options


def _charset(session: Session, cursor: Cursor) -> str:
    if not cursor.skip(b"CHARSET "):
        return ""
    if "UTF8=ACCEPT" in session.enabled:
        raise BadError("CHARSET is of no use after ENABLE UTF8=ACCEPT")  # RFC 6855 3
    charset = charset_of(cursor.astring())
    cursor.space()
    return charset


async def found(session: Session, view: View, key: Key, *, by_uid: bool) -> Results:
    """The messages that a key means, ascending."""
    with_modseq = mentions(key, Changed)
    if with_modseq:
        session.enable_condstore()  # RFC 7162 3.1
    evaluator = await session.run(Evaluator, view, time.time())
    mask = await finished(session, evaluator.result(key))
    positions = masks.positions(mask, evaluator.total)
    return Results(view.folder_id, evaluator.uids, positions, by_uid, with_modseq)


def told(tag: bytes, view: View, name: str, wanted: Returns | None, results: Results) -> bytes:
    """The answer; what is to be kept for `$` is kept."""
    if wanted is None:
        return answers.plain(name, results)
    if wanted.save:
        view.saved = answers.saved(wanted, results)
    return answers.extended(tag, wanted, results)
