"""The record of senders: what became of their mail, written in batches after the mail; forgotten in time."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.bulk import insert_rows
from mailstore import sql

if TYPE_CHECKING:
    from mta.inbound.weighing import Seen

COLUMNS = ("passed", "flagged", "reported", "cleared", "written")
KEEP_DAYS = 180
FORGET_SLICE = 1_000


def count_seen(seen: Mapping[Seen, int]) -> None:
    """Add up what was delivered and what was put aside, in the caller's transaction."""
    changes: dict[tuple[int, str], dict[str, int]] = {}
    for each, count in seen.items():
        column = "flagged" if each.is_flagged else "passed"
        of_name = changes.setdefault((each.domain_id, each.name), {})
        of_name[column] = of_name.get(column, 0) + count
    change_records(changes)


def change_records(changes: Mapping[tuple[int, str], Mapping[str, int]]) -> None:
    """Change columns of COLUMNS by (domain, name), in the caller's transaction; nothing falls below zero."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    rows = [
        (domain_id, name, *(max(0, changed.get(column, 0)) for column in COLUMNS), today)
        for (domain_id, name), changed in sorted(changes.items())
    ]
    added = ", ".join(f"{column} = mta_knownsender.{column} + excluded.{column}" for column in COLUMNS)
    tail = f"ON CONFLICT (domain_id, name) DO UPDATE SET {added}, seen_on = excluded.seen_on"
    insert_rows("mta_knownsender", f"domain_id, name, {', '.join(COLUMNS)}, seen_on", rows, tail)
    for (domain_id, name), changed in sorted(changes.items()):
        for column in COLUMNS:
            if changed.get(column, 0) < 0:
                statement = (
                    f"UPDATE mta_knownsender SET {column} = CASE WHEN {column} > %s THEN {column} - %s ELSE 0 END "
                    "WHERE domain_id = %s AND name = %s"
                )
                sql.run(statement, [-changed[column], -changed[column], domain_id, name])


def forget_records(today: datetime.date) -> None:
    """Those not seen for half a year, unless somebody here writes there. Slices, each a transaction."""
    query = "SELECT id FROM mta_knownsender WHERE seen_on < %s AND written = 0 ORDER BY seen_on LIMIT %s"
    before = (today - datetime.timedelta(days=KEEP_DAYS)).isoformat()
    while found := [row[0] for row in sql.rows(query, [before, FORGET_SLICE])]:
        sql.run(f"DELETE FROM mta_knownsender WHERE {sql.among('id')}", [sql.numbers(found)])
