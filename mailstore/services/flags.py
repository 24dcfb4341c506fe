"""Changing flags: star, read and unread, answered."""

from __future__ import annotations

import dataclasses

from django.db import transaction

from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import sql, threads
from mailstore.ledger import FLAGGED, Ledger
from mailstore.models import Flag
from mailstore.services.rows import Row, count_keywords, load, unread_of
from mailstore.services.selection import Chosen, names_entries, slices_of


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
    changed: list[int] = []
    refused: list[int] = []
    found = modseq = 0
    for entry_ids in slices_of(access, chosen):
        with transaction.atomic():
            ledger = Ledger([access.mailbox])
            rows = load(ledger, access, entry_ids)
            found += len(rows)
            newer = {row.id for row in rows if unchanged_since is not None and row.modseq > unchanged_since}
            refused += sorted(newer)
            changing = [row for row in rows if (row.flags | add) & ~remove != row.flags and row.id not in newer]
            if changing:
                modseq = _change(ledger, access, changing, add=int(add), remove=int(remove))
                changed += [row.id for row in changing]
    if not found and names_entries(chosen):
        raise MailError(ErrorKind.NOT_FOUND)
    return Changed(changed, modseq, tuple(refused))


def _change(ledger: Ledger, access: Access, rows: list[Row], *, add: int, remove: int) -> int:
    deltas = threads.new_deltas()
    keywords = []
    for row in rows:
        flags = (row.flags | add) & ~remove
        folder = ledger.folder(row.folder_id)
        unread = unread_of(flags) - unread_of(row.flags)
        starred = bool(flags & FLAGGED) - bool(row.flags & FLAGGED)
        ledger.modseq(folder)
        folder.unread += unread
        folder.starred += starred
        delta = deltas[row.thread_id, row.folder_id]
        delta.unread += unread
        delta.starred += starred
        keywords.append((row.keywords, 0, unread))
    modseq = ledger.mailbox_modseq(access.mailbox)
    ids = [row.id for row in rows]
    sql.run(
        f"UPDATE mailstore_entry SET flags = (flags | %s) & ~%s, modseq = %s WHERE id IN ({sql.marks(ids)})",
        [add, remove, modseq, *ids],
    )
    threads.apply(deltas)
    count_keywords(access.mailbox, keywords)
    ledger.write()
    return modseq
