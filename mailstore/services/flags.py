"""Changing flags: star, read and unread, answered."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import folder_threads, sql
from mailstore.entry_changes import is_dense, spans
from mailstore.ledger import FLAGGED, Ledger
from mailstore.models import Flag
from mailstore.services.rows import count_keywords, may_touch, unread_of, writable
from mailstore.services.selection import Chosen, any_exists, names_entries, parameters_of

COUNTED = Flag.SEEN | Flag.FLAGGED
"""What conversations count."""
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
    asked = _Asked(int(add), int(remove), MAX_MODSEQ if unchanged_since is None else unchanged_since)
    changed: list[int] = []
    refused: list[int] = []
    modseq = 0
    for ids in parameters_of(access, chosen):
        with transaction.atomic():
            ledger = Ledger([access.mailbox])
            if unchanged_since is not None:
                refused += _newer(ledger, access, ids, unchanged_since)
            alike = _alike(ledger, access, ids, asked)
            if alike:
                modseq = _change(ledger, access, alike, asked)
                changed += [entry_id for each in alike for entry_id in sql.listed(each.ids)]
    if not changed and not refused and names_entries(chosen) and not any_exists(access, chosen):
        raise MailError(ErrorKind.NOT_FOUND)
    return Changed(changed, modseq, tuple(sorted(refused)))


class Before(NamedTuple):
    """Messages of a folder that had the same flags and keywords."""

    flags: int
    keywords: int
    uids: list[int]


def set_flags_by_uid(
    access: Access, folder_id: int, uids: Sequence[int], *, add: Flag, remove: Flag
) -> tuple[list[Before], int]:
    """As `set_flags`, of the messages in a folder that have these UIDs, in one transaction: at most
    `mailstore.services.selection.SLICE`. What they had before, those that had it so already too, and the modseq (0 when
    nothing changed)."""
    access.require(Right.FLAG)
    asked = _Asked(int(add), int(remove), MAX_MODSEQ)
    with transaction.atomic():
        ledger = Ledger([access.mailbox])
        writable(ledger, access, folder_id)
        chosen = f"e.folder_id = %s AND {sql.among('e.uid')}"
        alike = _grouped(chosen, [folder_id, sql.numbers(uids)], asked, with_uids=True)
        changing = [each for each in alike if (each.flags | asked.add) & ~asked.remove != each.flags]
        modseq = _change(ledger, access, changing, asked) if changing else 0
    return [Before(each.flags, each.keywords, sorted(sql.listed(each.uids))) for each in alike], modseq


class _Asked(NamedTuple):
    """Plain numbers: arithmetic on members of an enum costs more than the row."""

    add: int
    remove: int
    newest: int
    """The modseq above which an entry is left alone."""


class _Alike(NamedTuple):
    """Entries of a folder with the same flags and keywords; `ids` and `threads` go back to the database as they came, `uids`
    are told."""

    folder_id: int
    flags: int
    keywords: int
    entries: int
    first_uid: int
    last_uid: int
    ids: Any
    threads: Any
    uids: Any


def _newer(ledger: Ledger, access: Access, ids: Any, modseq: int) -> list[int]:
    query = f"SELECT id, folder_id FROM mailstore_entry WHERE {sql.among('id')} AND mailbox_id = %s AND modseq > %s"
    found = sql.rows(query, [ids, access.mailbox, modseq])
    may_touch(ledger, access, {row[1] for row in found})
    return [row[0] for row in found]


def _alike(ledger: Ledger, access: Access, ids: Any, asked: _Asked) -> list[_Alike]:
    """Those that would change. NO_PERMISSION for one in a locked or a read-only folder."""
    chosen = f"{sql.among('e.id')} AND e.mailbox_id = %s AND ((e.flags | %s) & ~%s) <> e.flags AND e.modseq <= %s"
    found = _grouped(chosen, [ids, access.mailbox, *asked], asked)
    may_touch(ledger, access, {each.folder_id for each in found})
    return found


def _grouped(chosen: str, parameters: list[Any], asked: _Asked, *, with_uids: bool = False) -> list[_Alike]:
    joined, threads = "", "''"
    if (asked.add | asked.remove) & COUNTED:
        joined = " LEFT JOIN mailstore_threadof t ON t.message_id = e.message_id"
        threads = sql.collected("COALESCE(t.thread_id, e.message_id)")
    uids = sql.collected("e.uid") if with_uids else "''"
    query = (
        f"SELECT e.folder_id, e.flags, e.keywords, count(*), min(e.uid), max(e.uid), {sql.collected('e.id')}, {threads}, {uids} "
        f"FROM mailstore_entry e{joined} WHERE {chosen} "
        "GROUP BY e.folder_id, e.flags, e.keywords ORDER BY e.folder_id, e.flags, e.keywords"
    )
    return [_Alike._make(row) for row in sql.rows(query, parameters)]


def _change(ledger: Ledger, access: Access, alike: list[_Alike], asked: _Asked) -> int:
    modseq = ledger.mailbox_modseq(access.mailbox)
    for folder_id in {each.folder_id for each in alike}:
        changing = [each for each in alike if each.folder_id == folder_id]
        ledger.changed(ledger.folder(folder_id), _ranges(changing))
    for each in alike:
        folder = ledger.folder(each.folder_id)
        flags = (each.flags | asked.add) & ~asked.remove
        statement = f"UPDATE mailstore_entry SET flags = %s, modseq = %s WHERE {sql.among('id')}"
        sql.run(statement, [flags, modseq, each.ids])
        effect = _effect(each.flags, flags)
        if effect != folder_threads.NOTHING:
            folder.unread += each.entries * effect[1]
            folder.starred += each.entries * effect[2]
            folder_threads.change_alike(each.folder_id, each.threads, effect)
            count_keywords(access.mailbox, [(each.keywords, 0, each.entries * effect[1])])
    ledger.write()
    return modseq


def _ranges(changing: list[_Alike]) -> list[tuple[int, int]]:
    """UIDs of entries of one folder."""
    first, last = min(each.first_uid for each in changing), max(each.last_uid for each in changing)
    if is_dense(first, last, sum(each.entries for each in changing)):
        return [(first, last)]
    query = f"SELECT uid FROM mailstore_entry WHERE {sql.among('id')}"
    return spans(row[0] for each in changing for row in sql.rows(query, [each.ids]))


def _effect(before: int, after: int) -> folder_threads.Change:
    return 0, unread_of(after) - unread_of(before), bool(after & FLAGGED) - bool(before & FLAGGED)
