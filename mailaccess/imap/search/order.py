"""SORT (RFC 5256 3, RFC 5957): positions by columns. The rank of every message by a text is remembered with its column,
so that sorting again compares numbers."""

from __future__ import annotations

from array import array
from collections.abc import Generator, Sequence

from mailaccess.imap.grammar.sort import Criterion
from mailaccess.imap.search.columns import columns

_NUMBERS = {"ARRIVAL": "internal", "DATE": "sent", "SIZE": "size"}


def sorted_by(
    folder_id: int, uids: array[int], positions: list[int], criteria: Sequence[Criterion]
) -> Generator[None, None, list[int]]:
    """Sorted by the first criterion, then by the next …, at last by message number. REVERSE turns its criterion alone."""
    found = sorted(positions)
    for criterion in reversed(criteria):
        keys = yield from _keys(folder_id, uids, criterion.name)
        found.sort(key=keys.__getitem__, reverse=criterion.reverse)
        yield
    return found


def _keys(folder_id: int, uids: array[int], name: str) -> Generator[None, None, array[int]]:
    if name in _NUMBERS:
        return (yield from columns.numbers(folder_id, uids, _NUMBERS[name]))
    return (yield from ranks(folder_id, uids, f"by-{name.lower()}"))


def ranks(folder_id: int, uids: array[int], name: str) -> Generator[None, None, array[int]]:
    """The place of each message's text among the different texts of the column, 0 for none."""
    known = columns.remembered(folder_id, uids, f"rank-{name}")
    if known is not None:
        return known
    lines = (yield from columns.lines(folder_id, uids, name)).split(b"\n")[: len(uids)]
    places = {line: place for place, line in enumerate(sorted({b"", *lines}))}
    yield
    made = array("q", map(places.__getitem__, lines))
    columns.keep(folder_id, uids, f"rank-{name}", made)
    return made
