"""STORE and UID STORE (RFC 9051 6.4.6), with UNCHANGEDSINCE (RFC 7162 3.1.3)."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from core.access import Access
from mailaccess.imap.errors import BadError
from mailaccess.imap.flags import RECENT, Wanted, state_of, wanted
from mailaccess.imap.grammar.cursor import MAX_NUMBER64, Cursor
from mailaccess.imap.grammar.errors import ImapSyntaxError
from mailaccess.imap.grammar.sets import SequenceSet, ranges_of, sequence_set, within, written
from mailaccess.imap.session import Answer, Session
from mailaccess.imap.view import Ranges, View
from mailstore.models import TODO_MARKS, Flag, settled
from mailstore.selectors.fetch import rows_by_uid
from mailstore.selectors.folder_state import folder_state
from mailstore.services.entries import Changed, holding, set_flags, set_flags_by_uid
from mailstore.services.keywords import make_keyword, set_keywords
from mailstore.services.selection import SLICE, Chosen
from mailstore.services.todos import mark_done, mark_todo, restore_todo
from mailstore.sql import slices

EVERY_FLAG = Flag(sum(Flag))
MARKS = Flag(TODO_MARKS)
SET_MARK: dict[Flag, Callable[[Access, Chosen], Changed]] = {
    Flag(0): restore_todo,
    Flag.TODO: mark_todo,
    Flag.DONE: mark_done,
}
"""To-do marks are more than flags: pages list them, and they may have a day."""
COLUMNS = ("uid", "entry", "flags", "keywords", "modseq")


class Row(NamedTuple):
    """A message before the change, in the order of COLUMNS."""

    uid: int
    entry: int
    flags: int
    keywords: int
    modseq: int


made: Callable[[Sequence[Any]], Row] = partial(tuple.__new__, Row)
"""`Row._make`, without a call of Python for each row."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A parsed STORE. `how` is `+`, `-` or empty (replace)."""

    messages: SequenceSet
    how: str
    flags: Wanted
    silent: bool
    unchanged_since: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """Flags to set and to clear; keywords likewise, id to bit."""

    add: Flag
    remove: Flag
    put: dict[int, int]
    taken: dict[int, int]

    @property
    def is_of_flags(self) -> bool:
        """Whether it is about nothing but flags that are just that."""
        return not (self.put or self.taken or (self.add | self.remove) & MARKS)

    def after(self, flags: int, keywords: int) -> int:
        """The state that a row gets."""
        keywords = (keywords | sum(self.put.values())) & ~sum(self.taken.values())
        return state_of(self.flags_of(flags), keywords)

    def flags_of(self, flags: int) -> int:
        """The flags that a row gets."""
        return (flags | int(self.add)) & ~int(self.remove)


@dataclass(frozen=True, slots=True)
class Done:
    """A slice that is changed: its rows as they were, what became different, and whether the session knew everything
    before, so that the lines told of it are all its news."""

    rows: Sequence[Row]
    changes: Sequence[Changed]
    is_all_known: bool


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
        session.enable_condstore()
    told, refused = await session.run(_store_and_look, session, view, asked, by_uid=by_uid)
    session.write(told)
    code = f"MODIFIED {written(refused)}" if refused else ""
    return Answer("Stored", code=code, expunge=by_uid)


def _store_and_look(session: Session, view: View, asked: Asked, *, by_uid: bool) -> tuple[bytes, list[tuple[int, int]]]:
    found = _store(session, view, asked, by_uid=by_uid)
    session.look_ahead(expunge=by_uid)
    return found


def _store(session: Session, view: View, asked: Asked, *, by_uid: bool) -> tuple[bytes, list[tuple[int, int]]]:
    """Change the flags; the lines that tell it, and what was refused (UIDs or numbers, as it was asked)."""
    ranges = view.chosen(asked.messages, by_uid=by_uid)
    if ranges is None:
        raise BadError("No such message number")
    change = _change_of(view, asked)
    is_plain = change.is_of_flags and asked.unchanged_since is None and not session.condstore
    lines = [view.flag_names.announcement()]
    refused: list[int] = []
    for uids in _slices(view, within(ranges, view.uidnext)):
        with holding(view.access):
            is_all_known = folder_state(view.folder_id).modseq == view.modseq
            if is_all_known and is_plain:
                lines.append(_flagged(view, asked, change, uids))
                continue
            rows = list(map(made, rows_by_uid(view.folder_id, uids, COLUMNS)))
            since = asked.unchanged_since
            taken = rows if since is None else [row for row in rows if row.modseq <= since]
            changes = _apply(view, change, taken)
            reached = folder_state(view.folder_id).modseq
        if is_all_known:
            view.modseq = reached
        refused += [row.uid for row in rows if since is not None and row.modseq > since]
        lines += _told(session, asked, change, Done(taken, changes, is_all_known))
    shown = [uid if by_uid else view.number_of(uid) for uid in refused]
    return b"".join(lines), ranges_of(sorted(shown))


def _slices(view: View, ranges: Ranges) -> Iterator[Sequence[int]]:
    """What this session knows in UID ranges, as much at a time as one transaction takes."""
    uids = view.uids
    spans = [(bisect_left(uids, first), bisect_left(uids, last + 1)) for first, last in ranges]
    return slices(itertools.chain.from_iterable(uids[begin:end] for begin, end in spans), SLICE)


def _flagged(view: View, asked: Asked, change: Change, uids: Sequence[int]) -> bytes:
    """Flags alone, of a folder that is as the session knows it: what has the same flags changes as one, and its lines are
    all the news."""
    before, modseq = set_flags_by_uid(view.access, view.folder_id, uids, add=change.add, remove=change.remove)
    view.modseq = modseq or view.modseq
    if asked.silent:
        return b""
    told: list[tuple[int, str, str]] = []
    for flags, keywords, same in before:
        text = view.flag_names.text(change.after(flags, keywords))
        told += zip(same, itertools.repeat(text), itertools.repeat(f"{RECENT} {text}".rstrip()))
    told.sort()
    numbers = view.numbers_of([uid for uid, _, _ in told])
    is_recent = view.is_recent if view.recent else None
    return "".join(
        f"* {number} FETCH (UID {uid} FLAGS ({recent if is_recent and is_recent(uid) else text}))\r\n"
        for number, (uid, text, recent) in zip(numbers, told, strict=True)
    ).encode()


def _change_of(view: View, asked: Asked) -> Change:
    """What the command means in bits; keywords to be set are made."""
    made = [make_keyword(view.access, atom).id for atom in asked.flags.atoms if asked.how != "-"]
    view.flag_names.refresh()
    rows = view.flag_names.rows
    atoms = {atom.lower() for atom in asked.flags.atoms}
    named = {row.id: 1 << row.bit for row in rows if row.id in made or row.atom.lower() in atoms}
    others = {row.id: 1 << row.bit for row in rows if row.id not in named}
    flags = Flag(settled(int(asked.flags.flags)))
    if asked.how == "-":
        return Change(Flag(0), asked.flags.flags, {}, named)
    if asked.how == "+":
        other_mark = MARKS & ~flags if flags & MARKS else Flag(0)  # what is done is not to be done
        return Change(flags, other_mark, named, {})
    return Change(flags, EVERY_FLAG & ~flags, named, others)


def _apply(view: View, change: Change, rows: Sequence[Row]) -> list[Changed]:
    """What is different now. `rows` are one slice of the services."""
    changes: list[Changed] = []
    ids = [row.entry for row in rows]
    add, remove = change.add & ~MARKS, change.remove & ~MARKS
    if ids and (add or remove):
        changes.append(set_flags(view.access, ids, add=add, remove=remove))
    if ids and (change.put or change.taken):
        changes.append(set_keywords(view.access, ids, add=list(change.put), remove=list(change.taken)))
    if (change.add | change.remove) & MARKS:
        for mark, set_mark in SET_MARK.items():
            wanted = [
                row.entry for row in rows if row.flags & TODO_MARKS != mark == change.flags_of(row.flags) & TODO_MARKS
            ]
            changes += [set_mark(view.access, wanted)] if wanted else []
    return changes


def _told(session: Session, asked: Asked, change: Change, done: Done) -> list[bytes]:
    """The lines for ascending messages. Who asked for silence works the flags out from what he knew; where that was no
    longer true the news tell him (RFC 9051 6.4.6), and with CONDSTORE he hears of the modseq (RFC 7162 3.1.3)."""
    view, silent, condstore = session.selected(), asked.silent, session.condstore
    uids, own, known, recent = view.uids, view.own_changes, view.modseq, view.recent
    modseqs = {entry: each.modseq for each in done.changes for entry in each.entry_ids} if condstore else {}
    texts: dict[tuple[int, int], tuple[int, str]] = {}
    lines: list[str] = []
    at = bisect_left(uids, done.rows[0].uid) if done.rows else 0
    for uid, entry, flags, keywords, before in done.rows:
        if at >= len(uids) or uids[at] != uid:
            at = bisect_left(uids, uid)
        at += 1
        found = texts.get((flags, keywords))
        if found is None:
            state = change.after(flags, keywords)
            found = texts[flags, keywords] = (state, view.flag_names.text(state))
        if not done.is_all_known and (not silent or before <= known):
            own[uid] = found[0]
        modseq = f" MODSEQ ({modseqs.get(entry, before)})" if condstore else ""
        if not silent:
            lines.append(
                f"* {at} FETCH (UID {uid} FLAGS ({found[1] if not recent else view.flags_text(uid, found[0])}){modseq})\r\n"
            )
        elif condstore:
            lines.append(f"* {at} FETCH (UID {uid}{modseq})\r\n")
    return ["".join(lines).encode()]
