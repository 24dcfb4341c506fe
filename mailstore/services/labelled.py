"""Labels that a message is delivered with: their bits, their rows, their counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from core.bulk import insert_rows
from mailstore import sql
from mailstore.services.rows import count_keywords, unread_of


class Labelled(NamedTuple):
    """A new entry and the labels (ids of keywords) that it shall carry."""

    mailbox: int
    folder_id: int
    entry_id: int
    sort_us: int
    flags: int
    labels: Sequence[int]


def write_labels(entries: Sequence[Labelled]) -> Mapping[int, int]:
    """Rows and counters in the transaction of the delivery, whose ledger has the mailboxes locked; the keyword bits of
    each entry. A label that is gone meanwhile, or another mailbox's, is passed over."""
    wanted = sorted({label for entry in entries for label in entry.labels})
    if not wanted:
        return {}
    query = f"SELECT id, mailbox_id, bit FROM mailstore_keyword WHERE id IN ({sql.marks(wanted)})"
    known = {keyword_id: (mailbox, bit) for keyword_id, mailbox, bit in sql.rows(query, wanted)}
    bits: dict[int, int] = {}
    rows = []
    for entry in entries:
        carried = [label for label in dict.fromkeys(entry.labels) if known.get(label, (0, 0))[0] == entry.mailbox]
        bits[entry.entry_id] = sum(1 << known[label][1] for label in carried)
        rows += [(label, entry.mailbox, entry.folder_id, entry.sort_us, entry.entry_id) for label in carried]
        count_keywords(entry.mailbox, [(bits[entry.entry_id], 1, unread_of(entry.flags))])
    insert_rows("mailstore_entrylabel", "keyword_id, mailbox_id, folder_id, sort_us, entry_id", rows)
    return bits
