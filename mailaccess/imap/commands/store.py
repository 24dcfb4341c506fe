"""STORE and UID STORE (RFC 9051 6.4.6), with UNCHANGEDSINCE (RFC 7162 3.1.3)."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import ErrorKind, MailError
from mailaccess.imap.errors import BadError
from mailaccess.imap.flags import Wanted, wanted
from mailaccess.imap.grammar.cursor import MAX_NUMBER64, Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.sets import SequenceSet, ranges_of, sequence_set, written
from mailaccess.imap.session import Answer, Session
from mailaccess.imap.view import View
from mailstore.models import Flag
from mailstore.selectors.fetch import fetch_rows
from mailstore.selectors.folder_state import entries_of
from mailstore.services.entries import set_flags
from mailstore.services.keywords import make_keyword, set_keywords

EVERY_FLAG = Flag(sum(Flag))
SLICE = 20_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A parsed STORE. `how` is `+`, `-` or empty (replace)."""

    messages: SequenceSet
    how: str
    flags: Wanted
    silent: bool
    unchanged_since: int | None


async def store(session: Session, cursor: Cursor) -> Answer:
    """`STORE set [(UNCHANGEDSINCE n)] [+|-]FLAGS[.SILENT] flags`."""
    return await _run(session, _parsed(cursor), by_uid=False)


async def uid_store(session: Session, cursor: Cursor) -> Answer:
    """`UID STORE …`."""
    return await _run(session, _parsed(cursor), by_uid=True)


def _parsed(cursor: Cursor) -> Asked:
    cursor.space()
    messages = sequence_set(cursor)
    cursor.space()
    unchanged_since = None
    if cursor.skip(b"(UNCHANGEDSINCE "):
        unchanged_since = cursor.number(MAX_NUMBER64)
        cursor.expect(b") ")
    how = "+" if cursor.skip(b"+") else "-" if cursor.skip(b"-") else ""
    cursor.expect(b"FLAGS")
    silent = cursor.skip(b".SILENT")
    cursor.space()
    flags = wanted(cursor.flags())
    cursor.end()
    if flags is None:
        raise ImapSyntaxError("unknown system flag")
    return Asked(messages, how, flags, silent, unchanged_since)


async def _run(session: Session, asked: Asked, *, by_uid: bool) -> Answer:
    view = session.writable()
    if asked.unchanged_since is not None:
        session.enabled.add("CONDSTORE")
    told, refused = await session.run(_store, session, view, asked, by_uid=by_uid)
    session.write(told)
    code = f"MODIFIED {written(refused)}" if refused else ""
    return Answer("Stored", code=code, expunge=by_uid)


def _store(session: Session, view: View, asked: Asked, *, by_uid: bool) -> tuple[bytes, list[tuple[int, int]]]:
    """Change the flags; the lines that tell it, and what was refused (UIDs or numbers, as it was asked)."""
    ranges = view.chosen(asked.messages, by_uid=by_uid)
    if ranges is None:
        raise BadError("No such message number")
    keyword_ids = [make_keyword(view.access, atom).id for atom in asked.flags.atoms if asked.how != "-"]
    if asked.how == "-":
        known = {row.atom.lower(): row.id for row in view.flag_names.rows}
        keyword_ids = [known[atom.lower()] for atom in asked.flags.atoms if atom.lower() in known]
    view.flag_names.refresh()
    lines = view.flag_names.announcement()
    refused: list[int] = []
    rest = ranges
    while rest:
        found = entries_of(view.folder_id, rest, SLICE)
        known_uids = [(uid, entry_id) for uid, entry_id in found if view.number_of(uid)]
        if known_uids:
            refused += _change(view, asked, keyword_ids, known_uids)
            lines += _lines(session, view, asked, [uid for uid, _ in known_uids], set(refused))
        rest = _after(rest, found[-1][0]) if len(found) == SLICE else []
    shown = [uid if by_uid else view.number_of(uid) for uid in refused]
    return lines, ranges_of(sorted(shown))


def _change(view: View, asked: Asked, keyword_ids: list[int], found: list[tuple[int, int]]) -> list[int]:
    """The UIDs that were left alone because they are newer than UNCHANGEDSINCE."""
    ids = [entry_id for _, entry_id in found]
    since = asked.unchanged_since
    add = asked.flags.flags if asked.how != "-" else Flag(0)
    remove = asked.flags.flags if asked.how == "-" else EVERY_FLAG & ~add if not asked.how else Flag(0)
    try:
        flagged = set_flags(view.access, ids, add=add, remove=remove, unchanged_since=since)
        refused = set(flagged.refused)
        others = [row.id for row in view.flag_names.rows if row.id not in keyword_ids] if not asked.how else []
        if keyword_ids or others:
            rest = [entry_id for entry_id in ids if entry_id not in refused]
            put, taken = (keyword_ids, others) if asked.how != "-" else ([], keyword_ids)
            if rest:
                set_keywords(view.access, rest, add=put, remove=taken)
    except MailError as error:
        if error.kind is not ErrorKind.NOT_FOUND:
            raise
        return []  # all of them are gone meanwhile: EXPUNGE tells it
    return [uid for uid, entry_id in found if entry_id in refused]


def _lines(session: Session, view: View, asked: Asked, uids: list[int], refused: set[int]) -> bytes:
    """The flags as they are now; a silent STORE tells nothing but, with CONDSTORE, the new modseq (RFC 7162 3.1.3)."""
    lines = []
    first, last = uids[0], uids[-1]
    wanted_uids = set(uids) - refused
    rows = fetch_rows(view.folder_id, first, last, ("uid", "flags", "keywords", "modseq"), limit=SLICE * 10)
    for uid, flags, keywords, modseq in rows:
        if uid not in wanted_uids:
            continue
        state = keywords << 8 | flags
        view.own_changes[uid] = state
        if not asked.silent:
            lines.append(view.flags_line(view.number_of(uid), uid, state, modseq=modseq if session.condstore else 0))
        elif session.condstore:
            lines.append(f"* {view.number_of(uid)} FETCH (UID {uid} MODSEQ ({modseq}))\r\n".encode())
    return b"".join(lines)


def _after(ranges: list[tuple[int, int]], uid: int) -> list[tuple[int, int]]:
    return [(max(first, uid + 1), last) for first, last in ranges if last > uid]
