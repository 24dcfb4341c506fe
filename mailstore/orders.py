"""Orders of a folder beside the date's, kept only where somebody has asked for them.

A list by sender, by subject, by size or of one sender needs its keys in order; in every folder they would cost each
mail that comes, moves or goes four pages of their own. So a folder's row says which kinds its writers keep
(`orders_kept`) and which of them are whole (`orders_ready`); `mailstore.services.orders` begins, fills and drops them.

A text order has the negative id as its number: from A to Z the newest mail of each comes first, out of one ascending key.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import Protocol

from django.db import connection

from mailstore import sql


class Kind(enum.IntFlag):
    """What a folder can be asked for; bits of `orders_kept` and `orders_ready`."""

    SENDER = 1
    SUBJECT = 2
    SIZE = 4
    FROM = 8
    """The mails of each sender by date."""


PLACES: dict[Kind, tuple[str, str, str, str]] = {
    Kind.SENDER: ("0", "e.sender_key", "-e.id", "0"),
    Kind.SUBJECT: ("0", "e.subject_key", "-e.id", "0"),
    Kind.SIZE: ("0", "''", "e.size", "e.id"),
    Kind.FROM: ("e.sender_hash", "''", "e.sort_us", "e.id"),
}
"""Where an entry `e` stands: hash, word, number, tie."""
ENTRY_OF: dict[Kind, str] = {
    Kind.SENDER: "-o.number",
    Kind.SUBJECT: "-o.number",
    Kind.SIZE: "o.tie",
    Kind.FROM: "o.tie",
}
"""Whose row `o` is."""
NUMBERS = Kind.SIZE | Kind.FROM
"""Orders that have no words."""
COLUMNS = ("hash", "word", "number", "tie")
KEY = ("folder_id", "kind", *COLUMNS)
BEGIN_ANEW = (
    "UPDATE mailstore_folder SET orders_ready = 0 WHERE orders_ready <> 0",
    "UPDATE mailstore_folderorder SET state = 0, filled_uid = 0 WHERE state = 1",
)
"""Where the rows of the orders were left behind: they are filled again, from what the folders hold."""


class Kept(Protocol):
    """A folder as its writers see it."""

    @property
    def id(self) -> int: ...
    @property
    def orders_kept(self) -> int: ...


def came(arrived: Iterable[tuple[Kept, Sequence[int]]]) -> None:
    """Entries that lie in these folders since this transaction: their places in the orders that are kept there."""
    by_kind: dict[Kind, list[int]] = {}
    for folder, entry_ids in arrived:
        for kind in kinds(folder.orders_kept):
            by_kind.setdefault(kind, []).extend(entry_ids)
    for kind, entry_ids in by_kind.items():
        insert(kind, entry_ids)


def left(folder: Kept, entry_ids: Sequence[int]) -> None:
    """Entries are about to leave a folder: so do their places. Before their rows change."""
    for kind in kinds(folder.orders_kept):
        _remove(kind, folder.id, entry_ids)


def insert(kind: Kind, entry_ids: Sequence[int]) -> None:
    """The places of entries in an order of the folders they lie in; harmless for those that are there."""
    columns = ", ".join(COLUMNS)
    sql.run(
        f"INSERT INTO mailstore_entryorder (folder_id, kind, {columns}) SELECT e.folder_id, {int(kind)}, "
        f"{', '.join(PLACES[kind])} FROM {sql.numbered()} CROSS JOIN mailstore_entry e WHERE e.id = n.value "
        "ORDER BY 1, 3, 4, 5, 6 ON CONFLICT DO NOTHING",
        [sql.numbers(entry_ids)],
    )


def remove(keys: Sequence[Sequence[object]]) -> None:
    """Places by their whole keys (`KEY`)."""
    condition = " AND ".join(f"{column} = %s" for column in KEY)
    sql.run_many(f"DELETE FROM mailstore_entryorder WHERE {condition}", keys)


def kinds(bits: int) -> list[Kind]:
    """The single kinds of a folder's bits."""
    return [kind for kind in PLACES if bits & kind] if bits else []


def stands(kind: Kind) -> str:
    """The condition under which a row `o` is the place of the entry `e`."""
    pairs = zip(COLUMNS, PLACES[kind], strict=True)
    return f"o.kind = {int(kind)} AND " + " AND ".join(f"o.{column} = {place}" for column, place in pairs)


def _remove(kind: Kind, folder_id: int, entry_ids: Sequence[int]) -> None:
    among = f"{sql.among('e.id')} AND e.folder_id = %s"
    values = [sql.numbers(entry_ids), folder_id]
    if connection.vendor == "postgresql":
        sql.run(
            f"DELETE FROM mailstore_entryorder o USING mailstore_entry e WHERE {among} AND o.folder_id = e.folder_id "
            f"AND {stands(kind)}",
            values,
        )
        return
    # SQLite has no USING, and takes only a part of the key for a row value that is IN something.
    places = ", ".join(PLACES[kind])
    found = sql.rows(f"SELECT e.folder_id, {int(kind)}, {places} FROM mailstore_entry e WHERE {among}", values)
    remove(sorted(found))
