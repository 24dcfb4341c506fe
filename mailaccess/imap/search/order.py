"""SORT (RFC 5256 3, RFC 5957): positions by columns. The rank of every message by a text is remembered with its column,
so that sorting again compares numbers."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from mailaccess.imap.grammar.sort import Criterion
from mailaccess.imap.search import masks
from mailaccess.imap.search.columns import columns
from mailaccess.imap.search.reading import Steps

FEW = 4
"""Less than a quarter of a folder is sorted by itself."""
_NUMBERS = {"ARRIVAL": "internal", "DATE": "sent", "SIZE": "size"}


def sorted_by(
    folder_id: int, uids: array[int], positions: Sequence[int], criteria: Sequence[Criterion]
) -> Steps[Sequence[int]]:
    """Sorted by the first criterion, then by the next …, at last by message number. REVERSE turns its criterion alone.
    Where many are asked for, the whole folder is sorted and its order remembered."""
    if len(positions) * FEW < len(uids):
        return (yield from _sorted(folder_id, uids, positions, criteria))
    name = "order" + "".join(f" {'-' * each.reverse}{each.name}" for each in criteria)
    whole = columns.remembered(folder_id, uids, name)
    if whole is None:
        whole = array("q", (yield from _sorted(folder_id, uids, range(len(uids)), criteria)))
        columns.keep(folder_id, uids, name, whole)
    if len(positions) == len(uids):
        return whole
    members = masks.spans(len(uids), ((at, at + 1) for at in positions)).to_bytes(len(uids), "little")
    return [at for at in whole if members[at]]


def _sorted(
    folder_id: int, uids: array[int], positions: Sequence[int], criteria: Sequence[Criterion]
) -> Steps[list[int]]:
    found = list(positions)
    for criterion in reversed(criteria):
        keys = yield from _keys(folder_id, uids, criterion.name)
        found.sort(key=keys.__getitem__, reverse=criterion.reverse)
        yield False
    return found


def _keys(folder_id: int, uids: array[int], name: str) -> Steps[array[int]]:
    if name in _NUMBERS:
        return (yield from columns.numbers(folder_id, uids, _NUMBERS[name]))
    return (yield from ranks(folder_id, uids, f"by-{name.lower()}"))


def ranks(folder_id: int, uids: array[int], name: str) -> Steps[array[int]]:
    """The place of each message's text among the different texts of the column, 0 for none."""
    known = columns.remembered(folder_id, uids, f"rank-{name}")
    if known is not None:
        return known
    lines = (yield from columns.lines(folder_id, uids, name)).split(b"\n")[: len(uids)]
    places = {line: place for place, line in enumerate(sorted({b"", *lines}))}
    yield False
    made = array("q", map(places.__getitem__, lines))
    columns.keep(folder_id, uids, f"rank-{name}", made)
    return made
