"""Changing flags: star, read and unread, answered."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql, threads
from mailstore.ledger import FLAGGED, SEEN, Ledger
from mailstore.models import Flag
from mailstore.services.rows import count_keywords, may_touch, unread_of
from mailstore.services.selection import Chosen, any_exists, names_entries, slices_of

_State = tuple[int, int, int, int, int, int]
"""What a change of flags has to know of an entry; a tuple as it comes from the database, because there are many."""
ID, FOLDER, FLAGS, KEYWORDS, MODSEQ, THREAD = range(6)
MAX_MODSEQ = (1 << 63) - 1


@dataclasses.dataclass(frozen=True, slots=True)
class Changed:
    """The entries whose flags are different now, and the mailbox's newest modseq (0 when nothing changed)."""

    entry_ids: list[int]
    modseq: int
    refused: tuple[int, ...] = ()
    """Those that changed after `unchanged_since` and were left alone (RFC 7162 3.1.3)."""


def set_flags(
    access: Access,
    chosen: Chosen,
    *,
    add: Flag = Flag(0),  # noqa: B008 - a number
    remove: Flag = Flag(0),  # noqa: B008 - a number
    unchanged_since: int | None = None,
) -> Changed:
    """Set and clear flags; entries that have them so already keep their modseq (RFC 7162 3.1.3), those with a newer
    modseq than `unchanged_since` are left alone. Needs FLAG.

    NOT_FOUND for another mailbox's entries or when none of the named exists.
    """
    access.require(Right.FLAG)
    asked = _Asked(int(add), int(remove), unchanged_since)
    changed: list[int] = []
    refused: list[int] = []
    modseq = 0
    for entry_ids in slices_of(access, chosen, ordered=False):
        with transaction.atomic():
            ledger = Ledger([access.mailbox])
            states = _states(ledger, access, entry_ids, asked)
            newer = [state for state in states if state[MODSEQ] > asked.newest]
            refused += [state[ID] for state in newer]
            states = [state for state in states if state[MODSEQ] <= asked.newest] if newer else states
            if states:
                modseq = _change(ledger, access, states, asked)
                changed += [state[ID] for state in states]
    if not changed and not refused and names_entries(chosen) and not any_exists(access, chosen):
        raise MailError(ErrorKind.NOT_FOUND)
    return Changed(changed, modseq, tuple(sorted(refused)))


class _Asked(NamedTuple):
    """Plain numbers: arithmetic on members of an enum costs more than the row."""

    add: int
    remove: int
    unchanged_since: int | None

    @property
    def newest(self) -> int:
        """The modseq above which an entry is left alone."""
        return MAX_MODSEQ if self.unchanged_since is None else self.unchanged_since


def _states(ledger: Ledger, access: Access, entry_ids: Sequence[int], asked: _Asked) -> list[_State]:
    """Those that would change or be refused. NO_PERMISSION for one in a locked or a read-only folder."""
    query = (
        "SELECT e.id, e.folder_id, e.flags, e.keywords, e.modseq, COALESCE(t.thread_id, e.message_id) "
        "FROM mailstore_entry e LEFT JOIN mailstore_threadof t ON t.message_id = e.message_id "
        f"WHERE {sql.among('e.id')} AND e.mailbox_id = %s "
        "AND (((e.flags | %s) & ~%s) <> e.flags OR e.modseq > %s)"
    )
    parameters = [sql.numbers(entry_ids), access.mailbox, asked.add, asked.remove, asked.newest]
    found: list[_State] = sql.rows(query, parameters)
    may_touch(ledger, access, {state[FOLDER] for state in found})
    return found


def _change(ledger: Ledger, access: Access, states: list[_State], asked: _Asked) -> int:
    modseq = ledger.mailbox_modseq(access.mailbox)
    sql.run(
        f"UPDATE mailstore_entry SET flags = (flags | %s) & ~%s, modseq = %s WHERE {sql.among('id')}",
        [asked.add, asked.remove, modseq, sql.numbers([state[ID] for state in states])],
    )
    for folder_id in {state[FOLDER] for state in states}:
        ledger.modseq(ledger.folder(folder_id))
    if (asked.add | asked.remove) & (SEEN | FLAGGED):
        _count(ledger, access.mailbox, states, asked)
    ledger.write()
    return modseq


def _count(ledger: Ledger, mailbox: int, states: list[_State], asked: _Asked) -> None:
    """Folders, conversations and keywords count what is unread and starred."""
    _, folder_ids, flags, _, _, thread_ids = zip(*states, strict=True)
    effects = {before: _effect(before, (before | asked.add) & ~asked.remove) for before in set(flags)}
    for (folder_id, before), count in Counter(zip(folder_ids, flags, strict=True)).items():
        folder = ledger.folder(folder_id)
        folder.unread += count * effects[before][1]
        folder.starred += count * effects[before][2]
    each = map(effects.__getitem__, flags)
    threads.change(threads.changes(zip(zip(thread_ids, folder_ids, strict=True), each, strict=True)))
    labelled = [(state[KEYWORDS], 0, effects[state[FLAGS]][1]) for state in states if state[KEYWORDS]]
    count_keywords(mailbox, labelled)


def _effect(before: int, after: int) -> threads.Change:
    return 0, unread_of(after) - unread_of(before), bool(after & FLAGGED) - bool(before & FLAGGED)
