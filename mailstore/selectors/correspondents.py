"""Completion of recipients from whom this mailbox writes with."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from core.access import Access, Right
from mailstore import sql

RECENT_ROWS = 3_000
"""The newest correspondents that a completion looks at."""
MAX_PREFIX_CHARS = 60


@dataclasses.dataclass(frozen=True, slots=True)
class CorrespondentRow:
    """Somebody this mailbox has written to or heard from."""

    name: str
    address: str
    sent_count: int
    last_us: int


def complete(access: Access, prefix: str, limit: int) -> list[CorrespondentRow]:
    """Those whose name, a word of it, its pinyin or initials, or address begins with `prefix`; whom one writes to most
    comes first. One query over the newest 3,000."""
    access.require(Right.READ)
    text = prefix[:MAX_PREFIX_CHARS].replace("\0", "").encode("utf-8", "ignore").decode().strip()
    if not text:
        return []
    begin = sql.escaped(text)
    key = sql.escaped(text.casefold())
    patterns = [f"{begin}%", f"{begin}%", f"% {begin}%", f"{key}%", f"% {key}%"]
    columns = ("address", "name", "name", "sort_key", "sort_key")
    tests = " OR ".join(rf"{column} {sql.like()} %s ESCAPE '\'" for column in columns)
    recent = (
        "SELECT name, address, sort_key, sent_count, last_us FROM mailstore_correspondent WHERE mailbox_id = %s "
        f"ORDER BY last_us DESC LIMIT {RECENT_ROWS}"
    )
    query = (
        f"SELECT name, address, sent_count, last_us FROM ({recent}) AS recent WHERE {tests} "
        "ORDER BY CASE WHEN sent_count > 0 THEN 0 ELSE 1 END, sent_count DESC, last_us DESC LIMIT %s"
    )
    found = sql.rows(query, [access.mailbox, *patterns, max(1, min(limit, 100))])
    return [CorrespondentRow(*row) for row in found]


def who_wrote(access: Access, addresses: Iterable[str]) -> set[str]:
    """Those of these addresses (lower case) from which this mailbox has received mail."""
    access.require(Right.READ)
    found: set[str] = set()
    for part in sql.slices(addresses):
        query = (
            "SELECT address FROM mailstore_correspondent WHERE mailbox_id = %s AND received_count > 0 "
            f"AND address IN ({sql.marks(part)})"
        )
        found |= {row[0] for row in sql.rows(query, [access.mailbox, *part])}
    return found


def names_of(access: Access, addresses: Iterable[str]) -> dict[str, str]:
    """The names under which this mailbox writes with these addresses (lower case), where it knows any."""
    access.require(Right.READ)
    found: dict[str, str] = {}
    for part in sql.slices(addresses):
        query = (
            "SELECT address, name FROM mailstore_correspondent WHERE mailbox_id = %s AND name <> '' "
            f"AND address IN ({sql.marks(part)})"
        )
        found.update(sql.rows(query, [access.mailbox, *part]))
    return found
