"""Copying between two mailboxes that one account may open."""

from __future__ import annotations

from core.access import Access, Right
from mailstore.selectors.entries import get, raw
from mailstore.selectors.keywords import keywords
from mailstore.services.append import Letter, append_all
from mailstore.services.keywords import make_keyword

MAX_BYTES = 64 << 20
"""Of mail held at once; more is appended in several transactions."""


def copy_across(source: Access, target: Access, folder_id: int, entry_ids: list[int]) -> list[int]:
    """Append the entries to another mailbox's folder with their flags, keywords and dates; the new entries in order.
    Needs READ there and INSERT here; OVER_QUOTA."""
    source.require(Right.READ)
    target.require(Right.INSERT)
    atoms = {row.bit: row.atom for row in keywords(source)}
    made: list[int] = []
    group: list[Letter] = []
    for entry_id in entry_ids:
        entry = get(source, entry_id)
        words = [atoms[bit] for bit in atoms if entry.keywords >> bit & 1]
        ids = [make_keyword(target, atom).id for atom in words]
        group.append(Letter(raw(source, entry_id), entry.flags, ids, entry.internal_us))
        if sum(len(letter.raw) for letter in group) > MAX_BYTES:
            made += [each.entry_id for each in append_all(target, folder_id, group)]
            group = []
    return made + ([each.entry_id for each in append_all(target, folder_id, group)] if group else [])
