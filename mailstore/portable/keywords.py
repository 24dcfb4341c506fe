"""Keywords of clients: an atom gets a bit of its mailbox when it is first used (at most 62)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from mailstore import sql
from mailstore.services.rows import count_keywords, unread_of

MAX_KEYWORDS = 62


def add_keywords(mailbox: int, wanted: Mapping[int, Sequence[str]]) -> list[str]:
    """Give new entries (id to atoms) their keywords, in the transaction that stored them. Atoms for which there is no
    bit left come back."""
    bits = {atom.lower(): bit for atom, bit in _known(mailbox)}
    refused = _make(mailbox, bits, dict.fromkeys(atom for atoms in wanted.values() for atom in atoms))
    by_mask: dict[int, list[int]] = defaultdict(list)
    for entry_id, atoms in wanted.items():
        mask = sum({1 << bits[atom.lower()] for atom in atoms if atom.lower() in bits})
        if mask:
            by_mask[mask].append(entry_id)
    for mask, entry_ids in by_mask.items():
        for part in sql.slices(entry_ids):
            _set(mailbox, mask, part)
    return refused


def _known(mailbox: int) -> list[tuple[str, int]]:
    return sql.rows("SELECT atom, bit FROM mailstore_keyword WHERE mailbox_id = %s", [mailbox])


def _make(mailbox: int, bits: dict[str, int], atoms: Mapping[str, None]) -> list[str]:
    free = [bit for bit in range(MAX_KEYWORDS) if bit not in bits.values()]
    refused = []
    for atom in atoms:
        if atom.lower() in bits:
            continue
        if not free:
            refused.append(atom)
            continue
        bits[atom.lower()] = free.pop(0)
        sql.run(
            sql.insert("mailstore_keyword", "mailbox_id, bit, atom, label, colour, total, unread"),
            [mailbox, bits[atom.lower()], atom, "", "", 0, 0],
        )
    return refused


def _set(mailbox: int, mask: int, entry_ids: Sequence[int]) -> None:
    inside = sql.marks(entry_ids)
    sql.run(f"UPDATE mailstore_entry SET keywords = keywords | %s WHERE id IN ({inside})", [mask, *entry_ids])
    sql.run(
        "INSERT INTO mailstore_entrylabel (keyword_id, mailbox_id, folder_id, sort_us, entry_id) "
        "SELECT k.id, e.mailbox_id, e.folder_id, e.sort_us, e.id FROM mailstore_entry e "
        "JOIN mailstore_keyword k ON k.mailbox_id = e.mailbox_id "
        f"WHERE e.id IN ({inside}) AND k.bit IN ({', '.join(str(bit) for bit in range(63) if mask >> bit & 1)})",
        entry_ids,
    )
    flags = sql.rows(f"SELECT flags FROM mailstore_entry WHERE id IN ({inside})", entry_ids)
    count_keywords(mailbox, [(mask, 1, unread_of(row[0])) for row in flags])
