"""What a mail takes on the disk: rows and bodies, the search index, and one mail to fifty colleagues."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from accounts.models import Account
from bench.corpus import letter
from bench.report import report
from bench.site import accounts
from mailstore import dictionaries
from mailstore.models import Blob
from mailstore.search.indexer import Indexer
from mailstore.search.sqlite import path
from mailstore.services.deliver import Incoming, Placement, prepare, store

COLLEAGUES = 50
GROUP = 64
LARGE_BYTES = 64_000


def main(*, full: bool) -> None:
    """Distinct mails of 8 KB, then larger ones, then copies to fifty."""
    people = accounts(COLLEAGUES + 1)
    count = 20_000 if full else 4_000
    rows = [_stored("8 KB, without a dictionary", people[0], 2_000, first=10**6, pad=0)]
    dictionaries.train_if_due()
    dictionaries.forget()  # so that the next group finds it
    rows.append(_stored("8 KB", people[0], count, first=0, pad=0))
    rows.append(_stored("72 KB", people[0], count // 10, first=10**7, pad=LARGE_BYTES))
    rows.append(_shared(people[1:]))
    report(f"disk-{connection.vendor}", "Disk", rows, database=connection.vendor)


def _stored(name: str, account: Account, count: int, *, first: int, pad: int) -> dict[str, Any]:
    before, raw = _database_bytes(), 0
    for begin in range(first, first + count, GROUP):
        letters = [_padded(letter(number), number, pad) for number in range(begin, min(begin + GROUP, first + count))]
        raw += sum(map(len, letters))
        with transaction.atomic():
            store([Incoming(prepare(each), [Placement(account.pk)]) for each in letters])
    database, index = _database_bytes(), _index_bytes()
    indexer = Indexer()
    indexer.drain()
    indexer.close()
    in_rows, in_index = database - before, _index_bytes() - index
    if connection.vendor == "postgresql":
        in_index = _database_bytes() - database
    return {
        "mails": f"{count:,} of {name}",
        "raw MB": raw / 1e6,
        "bytes/mail": in_rows / count,
        "% of raw": in_rows / raw * 100,
        "index bytes/mail": in_index / count,
        "% with index": (in_rows + in_index) / raw * 100,
    }


def _padded(raw: bytes, number: int, pad: int) -> bytes:
    """More text of the same kind: the bodies of other letters."""
    more, other = [raw], number + 1
    while sum(map(len, more)) < pad:
        more.append(letter(other * 7919).partition(b"\r\n\r\n")[2])
        other += 1
    return b"".join(more)


def _shared(people: list[Account]) -> dict[str, Any]:
    """One mail to everybody: a blob, and a row of each kind for each."""
    raw, before, blobs = letter(5 * 10**8), _database_bytes(), Blob.objects.count()
    with transaction.atomic():
        store([Incoming(prepare(raw), [Placement(each.pk) for each in people])])
    made = Blob.objects.count() - blobs
    if made != 1:
        raise SystemExit(f"{made} bodies for one mail")
    grown = _database_bytes() - before
    return {"mails": f"1 to {len(people)} people, {made} body", "raw MB": len(raw) * len(people) / 1e6} | {
        "bytes/mail": grown / len(people),
        "% of raw": grown / len(raw) / len(people) * 100,
    }


def _database_bytes() -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(settings.DATABASES["default"]["NAME"]).stat().st_size


def _index_bytes() -> int:
    """SQLite's index lies in a file of its own."""
    if connection.vendor == "postgresql":
        return 0
    if not path().exists():
        return 0
    with contextlib.closing(sqlite3.connect(path())) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path().stat().st_size
