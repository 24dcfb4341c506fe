"""An account into an archive, while its mail goes on.

The rows of one moment go to a spool first (a moment is short, contents are long); their blobs are touched, so none is
collected before it is copied.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from accounts.models import Account
from core.access import Access, Right
from core.errors import ErrorKind, MailError
from mailstore import blobs, sql
from mailstore.archive.form import ArchiveWriter
from mailstore.archive.snapshot import snapshot
from mailstore.archive.tables import BLOB, TABLES, AccountTable
from mailstore.models import Blob

ACCOUNT_FIELDS = ("address", "name", "title", "kind", "language", "time_zone", "quota_bytes", "is_hidden")
MAILBOX_COLUMNS = ("next_id", "modseq")
LINES = 1_000


@dataclasses.dataclass(slots=True)
class AccountBackup:
    """How far a backup is."""

    rows: Counter[str] = dataclasses.field(default_factory=Counter)
    contents: int = 0
    content_bytes: int = 0


Progress = Callable[[AccountBackup], None]


def backup_account(access: Access, target: Path, *, progress: Progress | None = None) -> AccountBackup:
    """Write the archive; it appears under its name when it is whole. Needs MANAGE. EXISTS, UNAVAILABLE (a content that
    can't be read: an archive without it would restore less than it says)."""
    access.require(Right.MANAGE)
    if target.exists():
        raise MailError(ErrorKind.EXISTS, path=str(target))
    report = AccountBackup()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with tempfile.TemporaryFile(dir=target.parent) as spool, part.open("xb") as file:
            with snapshot():
                facts = _facts(access.mailbox)
                held = _spool_rows(access.mailbox, spool, report)
            _touch(held)
            writer = ArchiveWriter(file, facts)
            _add_blobs(writer, held, report, progress)
            _add_rows(writer, spool)
            writer.finish(dict(report.rows))
            file.flush()
            os.fsync(file.fileno())
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return report


def _facts(mailbox: int) -> dict[str, Any]:
    account = Account.objects.get(pk=mailbox)
    found = sql.row(f"SELECT {', '.join(MAILBOX_COLUMNS)} FROM mailstore_mailbox WHERE id = %s", [mailbox])
    return {
        "created_at": timezone.now().isoformat(timespec="seconds"),
        "mailbox": {"id": mailbox, **dict(zip(MAILBOX_COLUMNS, found, strict=True))},
        "account": {name: getattr(account, name) for name in ACCOUNT_FIELDS},
    }


def _spool_rows(mailbox: int, spool: IO[bytes], report: AccountBackup) -> list[int]:
    """Rows as lines `table json`; the ids of the blobs that they hold."""
    held: set[int] = set()
    for table in TABLES.values():
        for values in _rows(table, mailbox):
            if values.get(BLOB) is not None:
                held.add(values[BLOB])
            line = json.dumps(values, cls=DjangoJSONEncoder, ensure_ascii=False)
            spool.write(f"{table.label} {line}\n".encode())
            report.rows[table.label] += 1
    return sorted(held)


def _rows(table: AccountTable, mailbox: int) -> Iterator[dict[str, Any]]:
    names = [field.attname for field in table.columns()]
    rows = table.model._default_manager.filter(**{table.owner: mailbox})
    last: Any = None
    while True:
        after = rows.filter(pk__gt=last) if last is not None else rows
        found = list(after.order_by("pk").values_list("pk", *names)[:LINES])
        for last, *values in found:  # noqa: B007 - the last key goes on outside
            yield dict(zip(names, values, strict=True))
        if len(found) < LINES:
            return


def _touch(held: list[int]) -> None:
    """No collecting for the length of the grace."""
    now_s = int(time.time())
    for part in sql.slices(held):
        sql.run(f"UPDATE mailstore_blob SET touched_s = %s WHERE id IN ({sql.marks(part)})", [now_s, *part])


def _add_blobs(writer: ArchiveWriter, held: list[int], report: AccountBackup, progress: Progress | None) -> None:
    for part in sql.slices(held, 20):
        for row in Blob.objects.filter(pk__in=part).order_by("pk"):
            data = bytes(row.data) if row.data is not None else None
            content = blobs.decode(row.codec, data, row.key, row.size)
            writer.add(f"blobs/{bytes(row.sha256).hex()}", content)
            report.contents += 1
            report.content_bytes += len(content)
        if progress is not None:
            progress(report)


def _add_rows(writer: ArchiveWriter, spool: IO[bytes]) -> None:
    """Members of 1,000 lines of one table; blob ids become hashes."""
    spool.seek(0)
    label, number = "", 0
    lines: list[dict[str, Any]] = []
    for raw in spool:
        name, _, line = raw.decode().partition(" ")
        if name != label or len(lines) == LINES:
            _add_member(writer, label, number, lines)
            number = number + 1 if name == label else 0
            label, lines = name, []
        lines.append(json.loads(line))
    _add_member(writer, label, number, lines)


def _add_member(writer: ArchiveWriter, label: str, number: int, lines: list[dict[str, Any]]) -> None:
    if not lines:
        return
    ids = sorted({line[BLOB] for line in lines if line.get(BLOB) is not None})
    hashes = {pk: bytes(digest).hex() for pk, digest in Blob.objects.filter(pk__in=ids).values_list("pk", "sha256")}
    for line in lines:
        if BLOB in line:
            line[BLOB] = hashes[line[BLOB]]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    writer.add(f"rows/{label}/{number:06d}.jsonl", text.encode())
