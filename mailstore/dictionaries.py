"""zstd dictionaries trained on this site's own mail: what its letters share (headers, signatures, disclaimers) is stored once.

A dictionary is kept for ever, because its frames name it (RFC 8878 3.1.1.1.3); the newest one compresses. `encode` of a
blob runs on event loops, so `current` asks nobody: `refresh` does, whenever blobs are inserted, once a minute.
"""

from __future__ import annotations

import functools
import itertools
import logging
import random
import secrets
import threading
import time
from collections.abc import Iterable, Sequence

import zstandard
from django.db import transaction

from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.models.blobs import Dictionary
from mailstore.objects import objects

LEVEL = 3
SMALL = zstandard.ZstdCompressionParameters.from_level(
    LEVEL, window_log=17, hash_log=15, chain_log=14, search_log=1, min_match=5
)
"""Level 3 for contents up to CONTENT_MAX_BYTES without a dictionary, whatever their size. zstd would choose tables for each
size, and clear them whenever the next content is of another one: 10 of the 160 µs that a mail of 8 KB is prepared in, for the
same bytes."""
SIZE_BYTES = 112_640
CONTENT_MAX_BYTES = 64 * 1024
"""A longer content teaches itself."""
MAILS_MIN = 1_000
"""Fewer are too few to learn from."""
GROWTH = 20
"""When there is so many times the mail that the last dictionary had to choose from, another one is trained."""
SAMPLES = 3_000
RECENT = 50_000
GAIN_MIN = 0.05
"""A dictionary that saves less than this part is not worth its place."""
REFRESH_S = 60.0
ID_MIN = 1 << 15
ID_MAX = 1 << 31
"""Below and above are reserved (RFC 8878 3.1.1.1.3)."""
RUN_LENGTH = 1
"""The kind of block that is one byte, however long its content (RFC 8878 3.1.1.2.2)."""

log = logging.getLogger(__name__)
_local = threading.local()


class _State:
    current: zstandard.ZstdCompressionDict | None = None
    checked_at = float("-inf")


def current() -> zstandard.ZstdCompressionDict | None:
    """What to compress with, as far as this process knows."""
    return _State.current


def refresh() -> None:
    """Learn of a newer dictionary; a query a minute. On a database thread."""
    if time.monotonic() - _State.checked_at < REFRESH_S:
        return
    _State.checked_at = time.monotonic()
    row = sql.row("SELECT id FROM mailstore_dictionary ORDER BY trained_s DESC, id DESC LIMIT 1", [])
    if row is not None and (_State.current is None or _State.current.dict_id() != row[0]):
        _State.current = by_id(row[0])


def forget() -> None:
    """For another database."""
    _State.current, _State.checked_at = None, float("-inf")
    by_id.cache_clear()
    _local.__dict__.clear()


@functools.lru_cache(maxsize=64)
def by_id(number: int) -> zstandard.ZstdCompressionDict:
    """A stored dictionary, digested; UNAVAILABLE when it is not there."""
    row = sql.row("SELECT data FROM mailstore_dictionary WHERE id = %s", [number])
    if row is None:
        raise MailError(ErrorKind.UNAVAILABLE, dictionary=number)
    return _digested(bytes(row[0]))


def compressor(dictionary: zstandard.ZstdCompressionDict | None, *, is_small: bool) -> zstandard.ZstdCompressor:
    """One of each kind for each thread: they are not thread-safe and cost 10 µs to make, with a dictionary more."""
    kept: dict[int, zstandard.ZstdCompressor] = _local.__dict__.setdefault("compressors", {})
    kind = dictionary.dict_id() if dictionary is not None else int(is_small)  # ids begin at ID_MIN
    if kind not in kept:
        kept[kind] = (
            zstandard.ZstdCompressor(compression_params=SMALL)
            if is_small and dictionary is None
            else zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary)
        )
    return kept[kind]


def compress(content: bytes, dictionary: zstandard.ZstdCompressionDict | None, *, head: int = 0) -> bytes:
    """The content in frames. The first `head` bytes get a frame of their own, so that who wants a mail's header alone
    need not undo the rest: 1.5 instead of 7 µs for 8 KB, for 3 % more bytes and 4 µs more work here."""
    worker = compressor(dictionary, is_small=len(content) <= CONTENT_MAX_BYTES)
    if not head:
        return worker.compress(content)
    return worker.compress(content[:head]) + worker.compress(memoryview(content)[head:])


BLOCK_BYTES = 128 * 1024
"""A block of Zstandard is undone as a whole (RFC 8878 3.1.1.2): a reader of parts saves nothing within one."""


def decompress(frames: bytes, size: int) -> bytes:
    """The content of frames, `size` bytes at most in each, with the dictionary that they name."""
    worker = _decompressor(zstandard.get_frame_parameters(frames).dict_id)
    found = worker.decompress(frames, max_output_size=size)
    if len(found) >= size:
        return found
    end = _frame_end(frames)
    return found + worker.decompress(memoryview(frames)[end:], max_output_size=size) if end < len(frames) else found


def decompress_head(frames: bytes, length: int) -> bytes:
    """The first `length` bytes of a content."""
    parameters = zstandard.get_frame_parameters(frames)
    worker, first = _decompressor(parameters.dict_id), parameters.content_size
    if length <= first <= BLOCK_BYTES:
        return worker.decompress(frames)[:length]
    if first < length and (end := _frame_end(frames)) < len(frames):
        return worker.decompress(frames) + decompress_head(frames[end:], length - first)
    with worker.stream_reader(frames) as reader:
        return reader.read(length)


def _frame_end(frames: bytes) -> int:
    """Where the first frame ends: behind its last block, there being no checksum (RFC 8878 3.1.1)."""
    at = int(zstandard.frame_header_size(frames))
    while at + 3 <= len(frames):
        block = int.from_bytes(frames[at : at + 3], "little")
        is_last, kind, size = block & 1, block >> 1 & 3, block >> 3
        at += 3 + (1 if kind == RUN_LENGTH else size)
        if is_last:
            break
    return at


def _decompressor(number: int) -> zstandard.ZstdDecompressor:
    try:
        found: zstandard.ZstdDecompressor = _local.decompressors[number]
    except (AttributeError, KeyError):
        found = zstandard.ZstdDecompressor(dict_data=by_id(number) if number else None)
        _local.__dict__.setdefault("decompressors", {})[number] = found
    return found


def train_if_due() -> Dictionary | None:
    """`train` when there is enough mail to learn from, and much more than the last time."""
    (blobs,) = sql.row("SELECT count(*) FROM mailstore_blob", []) or (0,)
    last = Dictionary.objects.order_by("-trained_s").first()
    if blobs < (last.blobs * GROWTH if last is not None else MAILS_MIN):
        return None
    return train()


def train() -> Dictionary | None:
    """Train on recent mail and store the dictionary, unless it saves too little (None). Seconds of CPU: a worker's job."""
    samples = _samples()
    if len(samples) < MAILS_MIN // 2:
        return None
    kept_out = len(samples) // 10
    number = secrets.randbelow(ID_MAX - ID_MIN) + ID_MIN
    trained = zstandard.train_dictionary(SIZE_BYTES, [*samples[kept_out:]], dict_id=number)
    gain = _gain(samples[:kept_out], trained)
    log.info("dictionary trained", extra={"samples": len(samples), "gain": round(gain, 3)})
    if gain < GAIN_MIN:
        return None
    with transaction.atomic():
        (blobs,) = sql.row("SELECT count(*) FROM mailstore_blob", []) or (0,)
        return Dictionary.objects.create(
            id=number, data=trained.as_bytes(), trained_s=int(time.time()), blobs=blobs, gain=gain
        )


def _samples() -> list[bytes]:
    """Contents of recent blobs in random order."""
    ids = [
        row[0]
        for row in sql.rows(
            "SELECT id FROM mailstore_blob WHERE size <= %s ORDER BY id DESC LIMIT %s", [CONTENT_MAX_BYTES, RECENT]
        )
    ]
    chosen = random.sample(ids, min(SAMPLES, len(ids)))
    return list(itertools.chain.from_iterable(_contents(part) for part in sql.slices(chosen, 200)))


def _contents(ids: Sequence[int]) -> Iterable[bytes]:
    rows = sql.rows(f"SELECT codec, data, key, size FROM mailstore_blob WHERE id IN ({sql.marks(ids)})", ids)
    for codec, data, key, size in rows:
        stored = bytes(data) if data is not None else objects().read(key)
        yield decompress(stored, size) if codec else stored


def _gain(samples: Sequence[bytes], trained: zstandard.ZstdCompressionDict) -> float:
    """What part of the compressed bytes the dictionary saves."""
    plain = zstandard.ZstdCompressor(level=LEVEL)
    helped = zstandard.ZstdCompressor(level=LEVEL, dict_data=trained)
    before = sum(len(plain.compress(sample)) for sample in samples)
    return 1 - sum(len(helped.compress(sample)) for sample in samples) / before if before else 0.0


def _digested(data: bytes) -> zstandard.ZstdCompressionDict:
    found = zstandard.ZstdCompressionDict(data)
    found.precompute_compress(level=LEVEL)
    return found
