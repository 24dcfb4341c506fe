"""The unread and the starred entries of a folder, in the order of date.

On SQLite an index is kept for each, whose condition asks for the flag. PostgreSQL rewrites every index of an entry when
a column changes that one of them asks for, and nothing but the row when none does (HOT). So there each of these lists
is a table's rows, kept by triggers of the entries, in the statement that changes them (mailstore/ddl.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from django.db import connection

from mailstore import sql
from mailstore.ddl import LISTED, STARRED, UNREAD
from mailstore.fields import MAX_COUNTER, pack

UNREAD_LIST, STARRED_LIST = LISTED
"""`flag` of the rows of a list."""

_TABLE = "mailstore_flaglist"
_CONDITIONS = {UNREAD_LIST: UNREAD, STARRED_LIST: STARRED}


@dataclasses.dataclass(frozen=True, slots=True)
class Lead:
    """What leads through the entries `e` of a folder by date: FROM, conditions that join it (` AND …`), both for the keys
    alone, and the columns of folder, date and id."""

    source: str = "mailstore_entry e"
    condition: str = ""
    keys: tuple[str, str] = ("mailstore_entry e", "")
    folder_id: str = "e.folder_id"
    sort_us: str = "e.sort_us"
    id: str = "e.id"


def lead(*, unread: bool = False, starred: bool = False) -> Lead:
    """Through what is unread, or starred, or both; without either through everything."""
    asked = [flag for flag, is_asked in ((STARRED_LIST, starred), (UNREAD_LIST, unread)) if is_asked]
    if not asked or connection.vendor != "postgresql":
        condition = "".join(f" AND {_of_entry(flag)}" for flag in asked)
        return Lead(condition=condition, keys=("mailstore_entry e", condition))
    rest = "".join(f" AND {_of_entry(flag)}" for flag in asked[1:])
    keys = (f"{_TABLE} fl", f" AND fl.flag = {asked[0]}")
    joined = (f"{keys[0]} CROSS JOIN mailstore_entry e", f"{keys[1]} AND e.id = fl.entry_id{rest}")
    return Lead(*joined, joined if rest else keys, "fl.folder_id", "fl.sort_us", "fl.entry_id")


def among_listed(flag: int) -> str:
    """The condition that `e` is in one of the lists, so that the list may lead."""
    if connection.vendor != "postgresql":
        return _of_entry(flag)
    return (
        f"EXISTS (SELECT 1 FROM {_TABLE} fl WHERE fl.folder_id = e.folder_id AND fl.flag = {flag} "
        "AND fl.sort_us = e.sort_us AND fl.entry_id = e.id)"
    )


def wrong_lists(mailbox: int, repair: bool) -> Iterator[tuple[str, str, str, str]]:
    """What a list lacks and what it has too much, for `check_store`: check, where, stored, expected."""
    if connection.vendor != "postgresql":
        return
    inside = [pack(mailbox, 0), pack(mailbox, MAX_COUNTER)]
    stored = f"SELECT folder_id, flag, sort_us, entry_id FROM {_TABLE} WHERE folder_id BETWEEN %s AND %s"
    expected = " UNION ALL ".join(
        f"SELECT folder_id, {flag}, sort_us, id FROM mailstore_entry WHERE folder_id BETWEEN %s AND %s AND {condition}"
        for flag, condition in _CONDITIONS.items()
    )
    foreign = sql.rows(f"{stored} EXCEPT ({expected})", inside * 3)
    missing = sql.rows(f"({expected}) EXCEPT {stored}", inside * 3)
    for name, rows in (("foreign rows of a list of flags", foreign), ("rows missing in a list of flags", missing)):
        if rows:
            yield name, str(mailbox), str(len(rows)), "0"
    if repair:
        where = "folder_id = %s AND flag = %s AND sort_us = %s AND entry_id = %s"
        sql.run_many(f"DELETE FROM {_TABLE} WHERE {where}", foreign)
        sql.run_many(sql.insert(_TABLE, "folder_id, flag, sort_us, entry_id"), missing)


def _of_entry(flag: int) -> str:
    return _CONDITIONS[flag].replace("(", "(e.", 1)
