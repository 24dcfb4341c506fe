"""Stored bytes, each content once: compressed in the row up to 256 KB, as an object above.

`encode` is CPU (and for large content the object's write) and belongs outside the transaction; `insert` writes the
rows. Who may hold a blob is the closed list `HOLDERS`; what nobody on it holds is collected after a grace time.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import time
from collections.abc import Sequence

from django.apps import apps
from django.db import transaction

from core.bulk import insert_rows
from core.errors import ErrorKind, MailError
from mailstore import dictionaries, sql
from mailstore.models.blobs import Codec
from mailstore.objects import objects

IN_ROW_MAX_BYTES = 256 * 1024
"""Larger rows make SQLite's pages overflow in long chains and PostgreSQL's TOAST slow (measured)."""
_FIELD = re.compile(rb"[!-9;-~]{1,76}:")
"""How a mail begins (RFC 5322 2.2)."""
BODY_MIN_BYTES = 1_024
"""A shorter body is undone with its header as fast as without, and two frames take more room."""
GRACE_S = 24 * 3600
_RAW = int(Codec.RAW)
MAX_CONTENT_BYTES = 1 << 31

HOLDERS: dict[tuple[str, str], str] = {
    ("mailstore_message", "blob_id"): "message",
    ("mailstore_draftattachment", "blob_id"): "draft attachment",
    ("mailstore_searchremoval", "blob_id"): "search removal",
    ("mta_submission", "sent_blob_id"): "submission, sent",
    ("mta_submission", "wire_blob_id"): "submission, wire",
    ("mta_delivery", "blob_id"): "delivery",
    ("mta_heldpost", "blob_id"): "mail waiting for a list's approver",
    ("mta_quarantinedmail", "blob_id"): "quarantine",
}
"""Every (table, column) that may hold a blob, each indexed. A column that is missing here loses mail: `unlisted_holders`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Encoded:
    """A content ready to be stored. `data` is None when it lies as an object under `key`."""

    sha256: bytes
    size: int
    codec: int
    data: bytes | None
    key: str = ""
    dictionary: int = 0


def register_holder(name: str, *, table: str, column: str) -> None:
    """Add a holder called `name`; the column must be indexed."""
    HOLDERS[table, column] = name


def encode(content: bytes) -> Encoded:
    """Hash and compress; a large content is written to the object store here, durably, before any transaction."""
    digest = hashlib.sha256(content).digest()
    dictionary = dictionaries.current() if len(content) <= dictionaries.CONTENT_MAX_BYTES else None
    data = dictionaries.compress(content, dictionary, head=_head_length(content))
    codec, number = Codec.ZSTD, 0
    if len(data) >= len(content):
        codec, data = Codec.RAW, content
    elif dictionary is not None:
        codec, number = Codec.ZSTD_DICTIONARY, dictionary.dict_id()
    if len(data) <= IN_ROW_MAX_BYTES:
        return Encoded(digest, len(content), int(codec), data, dictionary=number)
    key = f"{digest.hex()[:2]}/{digest.hex()}{'.zst' if codec == Codec.ZSTD else ''}"
    objects().write(key, data)
    return Encoded(digest, len(content), int(codec), None, key)


def _head_length(content: bytes) -> int:
    """How long a mail's header is, the empty line included; 0 for what is no mail or gains nothing by a frame for it:
    it is small, or so large that its first block is undone whole anyway."""
    if len(content) > IN_ROW_MAX_BYTES or not _FIELD.match(content):
        return 0
    end = content.find(b"\r\n\r\n", 0, dictionaries.BLOCK_BYTES)
    return end + 4 if 0 <= end < len(content) - BODY_MIN_BYTES else 0


def insert(contents: Sequence[Encoded]) -> dict[bytes, int]:
    """Store in the caller's transaction what is not there yet; ids by hash. Rows are locked by ascending hash."""
    dictionaries.refresh()
    unique = {each.sha256: each for each in contents}
    ordered = [unique[digest] for digest in sorted(unique)]
    now_s = int(time.time())
    found = insert_rows(
        "mailstore_blob",
        "sha256, size, codec, dictionary, data, key, touched_s",
        [(each.sha256, each.size, each.codec, each.dictionary, each.data, each.key, now_s) for each in ordered],
        "ON CONFLICT (sha256) DO UPDATE SET touched_s = excluded.touched_s RETURNING sha256, id",
    )
    return {bytes(digest): blob_id for digest, blob_id in found}


def put(content: bytes) -> int:
    """Store `content` in the caller's transaction; the blob's id."""
    encoded = encode(content)
    return insert([encoded])[encoded.sha256]


def get(blob_id: int) -> bytes:
    """The content. NOT_FOUND for an unknown id, UNAVAILABLE when the object can't be had."""
    row = sql.row("SELECT codec, data, key, size FROM mailstore_blob WHERE id = %s", [blob_id])
    if row is None:
        raise MailError(ErrorKind.NOT_FOUND)
    return decode(*row)


def decode(codec: int, data: bytes | None, key: str, size: int) -> bytes:
    """The content of a row's columns."""
    stored = bytes(data) if data is not None else objects().read(key)
    if codec == Codec.RAW:
        return stored
    return dictionaries.decompress(stored, size)


def decode_head(codec: int, data: bytes | None, key: str, length: int) -> bytes:
    """As `decode`, the first `length` bytes alone."""
    stored = data if type(data) is bytes else bytes(data) if data is not None else objects().read(key)
    if codec == _RAW:
        return stored[:length]
    return dictionaries.decompress_head(stored, length)


def unlisted_holders() -> list[str]:
    """Columns that look like holders and are not on the list; there must be none."""
    columns = [
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.column and field.column.endswith("blob_id")
    ]
    return [f"{table}.{column}" for table, column in columns if (table, column) not in HOLDERS]


def collect_blobs(grace_s: int = GRACE_S, *, limit: int = 100_000) -> int:
    """Delete rows that nobody holds and that nobody touched for `grace_s`; then objects without a row, written and left
    alone by their row for `grace_s` (a backup that began before copies them still).

    Short transactions of 200 rows; safe beside deliveries: a delivery touches the row first, in its own transaction,
    and the check and the delete are one transaction.
    """
    missing = unlisted_holders()
    if missing:
        raise MailError(ErrorKind.INVALID, holders=missing)
    before_s = int(time.time()) - grace_s
    removed = after = 0
    while removed < limit:
        candidates = _old_blobs(after, before_s)
        if not candidates:
            break
        after = candidates[-1]
        removed += _remove_unheld(candidates, before_s)
    _remove_objects(before_s)
    return removed


def _old_blobs(after: int, before_s: int) -> list[int]:
    query = "SELECT id FROM mailstore_blob WHERE id > %s AND touched_s < %s ORDER BY id LIMIT 200"
    return [row[0] for row in sql.rows(query, [after, before_s])]


def _remove_unheld(candidates: list[int], before_s: int) -> int:
    with transaction.atomic():
        locked = f"SELECT id FROM mailstore_blob WHERE id IN ({sql.marks(candidates)}) AND touched_s < %s ORDER BY sha256{sql.for_update()}"
        free = {row[0] for row in sql.rows(locked, [*candidates, before_s])}
        for table, column in HOLDERS:
            ids = sorted(free)
            held = sql.rows(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IN ({sql.marks(ids)})", ids)
            free -= {row[0] for row in held}
        ids = sorted(free)
        if not ids:
            return 0
        inside = sql.marks(ids)
        sql.run(
            "INSERT INTO mailstore_goneobject (key, gone_s) SELECT key, %s FROM mailstore_blob "
            f"WHERE id IN ({inside}) AND key <> '' ON CONFLICT (key) DO UPDATE SET gone_s = excluded.gone_s",
            [int(time.time()), *ids],
        )
        return sql.run(f"DELETE FROM mailstore_blob WHERE id IN ({inside})", ids)


def _remove_objects(before_s: int) -> None:
    store = objects()
    for part in sql.slices(store.keys(), 200):
        known = {
            row[0]
            for row in sql.rows(
                f"SELECT key FROM mailstore_blob WHERE sha256 IN ({sql.marks(part)})", [_digest(key) for key in part]
            )
        }
        waiting = _gone_later(part, before_s)
        for key in part:
            if key not in known and key not in waiting:
                store.remove_if_older(key, before_s)
    sql.run("DELETE FROM mailstore_goneobject WHERE gone_s < %s", [before_s - GRACE_S])


def _gone_later(keys: list[str], before_s: int) -> set[str]:
    """Objects whose rows went less than the grace ago."""
    query = f"SELECT key FROM mailstore_goneobject WHERE key IN ({sql.marks(keys)}) AND gone_s >= %s"
    return {row[0] for row in sql.rows(query, [*keys, before_s])}


def _digest(key: str) -> bytes:
    """The hash in an object's key; nonsense (somebody else's file) has a hash that no row has."""
    try:
        return bytes.fromhex(key.partition("/")[2].partition(".")[0])
    except ValueError:
        return b"?"
