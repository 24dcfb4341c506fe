"""Whether stored bytes are what they were: every blob can be read and has its hash, every holder's blob and every
row's object exist. Reads everything, a blob at a time, without a lock; run it at night."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator

from mailstore import blobs, sql
from mailstore.check_store import Finding, find_missing_blobs
from mailstore.objects import objects

CHUNK = 50


@dataclasses.dataclass(slots=True)
class Verified:
    """What was read, and what is wrong. `unreferenced` objects have no row: collecting takes them after the grace."""

    blobs: int = 0
    content_bytes: int = 0
    objects: int = 0
    unreferenced: int = 0
    findings: list[Finding] = dataclasses.field(default_factory=list)


def verify_blobs(*, progress: Callable[[Verified], None] | None = None) -> Verified:
    """Read all of it. Rows that come or go meanwhile do no harm."""
    result = Verified()
    last = 0
    while found := _after(last):
        for blob_id, *_ in found:
            last = blob_id
            result.findings += _wrong(blob_id, result)
        if progress is not None:
            progress(result)
    result.findings += find_missing_blobs()
    _count_objects(result)
    return result


def _after(blob_id: int) -> list[tuple[int]]:
    return sql.rows("SELECT id FROM mailstore_blob WHERE id > %s ORDER BY id LIMIT %s", [blob_id, CHUNK])


def _wrong(blob_id: int, result: Verified) -> Iterator[Finding]:
    row = sql.row("SELECT sha256, size, codec, data, key FROM mailstore_blob WHERE id = %s", [blob_id])
    if row is None:
        return  # collected meanwhile
    digest, size, codec, data, key = row
    try:
        content = blobs.decode(codec, data, key, size)
    except Exception as error:  # whatever a broken codec or store raises is the finding
        yield Finding(0, "blob can't be read", str(blob_id), str(error), key or "in the row")
        return
    result.blobs += 1
    result.content_bytes += len(content)
    if len(content) != size:
        yield Finding(0, "blob size", str(blob_id), str(len(content)), str(size))
    found = hashlib.sha256(content).digest()
    if found != bytes(digest):
        yield Finding(0, "blob hash", str(blob_id), found.hex(), bytes(digest).hex())


def _count_objects(result: Verified) -> None:
    for part in sql.slices(objects().keys(), 200):
        query = f"SELECT count(*) FROM mailstore_blob WHERE key IN ({sql.marks(part)}) AND key <> ''"
        result.objects += len(part)
        result.unreferenced += len(part) - int(sql.row(query, part)[0])
