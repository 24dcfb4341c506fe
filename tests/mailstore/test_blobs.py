"""Stored bytes: each content once, large ones as objects, nothing lost by collecting."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
import zstandard
from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore import blobs, sql
from mailstore.check_store import check_store
from mailstore.models import Blob, Expunged
from mailstore.objects import objects
from mailstore.search.indexer import Indexer
from mailstore.selectors import entries
from mailstore.services import collect as collecting
from mailstore.services.collect import collect
from mailstore.services.drafts import attach, create_draft
from mailstore.services.entries import expire_recoverable, purge
from tests.mailstore.letters import letter, stored, stored_many

CHANCE = random.Random(7)
"""Seeded: every test process must name its cases alike."""
LARGE = CHANCE.randbytes(400_000)


@pytest.fixture(autouse=True)
def own_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Objects of this test alone."""
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    return tmp_path / "blobs"


@pytest.fixture(autouse=True)
def no_rows_outlive_their_objects(breaks_rows: None) -> None:
    """The check at the end would look for objects in the wrong place."""


def put(content: bytes) -> int:
    """In a transaction of its own."""
    with transaction.atomic():
        return blobs.put(content)


def age(root: Path) -> None:
    """Make rows and objects two days old."""
    sql.run("UPDATE mailstore_blob SET touched_s = touched_s - 172800")
    sql.run("UPDATE mailstore_goneobject SET gone_s = gone_s - 172800")
    old = time.time() - 172_800
    for path in root.glob("*/*"):
        os.utime(path, (old, old))


CONTENTS = {
    "nothing": b"",
    "a byte": b"x",
    "runs": b"abc" * 100_000,
    "noise": CHANCE.randbytes(2_000),
    "much noise": LARGE,
    "both": b"ab" * 10**6 + LARGE,
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_what_is_put_can_be_got(db: None, content: bytes) -> None:
    assert blobs.get(put(content)) == content
    assert put(content) == put(content)


def test_only_what_stays_large_becomes_an_object(db: None, own_objects: Path) -> None:
    put(b"abc" * 1_000_000)
    assert not own_objects.exists()
    put(LARGE)
    (path,) = own_objects.glob("*/*")
    assert path.name.startswith(path.parent.name)
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_object_that_is_gone_is_unavailable(db: None, own_objects: Path) -> None:
    blob = put(LARGE)
    next(own_objects.glob("*/*")).unlink()
    with pytest.raises(MailError) as error:
        blobs.get(blob)
    assert error.value.kind is ErrorKind.UNAVAILABLE
    assert [each.check for each in check_store()] == ["blob object"]


def test_a_large_mail_is_read_back(mine: Access) -> None:
    raw = letter(body=LARGE.hex())
    assert entries.raw(mine, stored(mine, raw)) == raw


def test_collecting_takes_what_nobody_holds_after_the_grace(mine: Access, own_objects: Path) -> None:
    held = stored(mine, letter(body=LARGE.hex()))
    draft = create_draft(mine, identity="alice@example.test")
    attach(mine, draft.id, "a", "text/plain", b"held by a draft")
    put(LARGE)
    put(b"small")
    assert blobs.collect_blobs() == 0
    age(own_objects)
    assert blobs.collect_blobs() == 2
    assert Blob.objects.count() == 2
    assert len(list(own_objects.glob("*/*"))) == 2, "a backup that has begun may still name the object"
    age(own_objects)
    blobs.collect_blobs()
    assert len(list(own_objects.glob("*/*"))) == 1
    assert LARGE.hex().encode() in entries.raw(mine, held)


def test_recoverable_mail_keeps_its_bytes_until_it_ends(mine: Access, own_objects: Path) -> None:
    purge(mine, [stored(mine, letter())])
    age(own_objects)
    assert blobs.collect_blobs() == 0
    expire_recoverable(mine.mailbox, 1 << 60)
    assert blobs.collect_blobs() == 0, "the search index needs it to take its words out"
    indexer = Indexer()
    indexer.drain()
    indexer.close()
    assert blobs.collect_blobs() == 1


def test_a_content_that_comes_back_is_not_collected(db: None, own_objects: Path) -> None:
    first = put(LARGE)
    age(own_objects)
    assert put(LARGE) == first
    assert blobs.collect_blobs() == 0
    assert blobs.get(first) == LARGE


def test_an_object_goes_a_second_grace_after_its_row(db: None, own_objects: Path) -> None:
    put(LARGE)
    sql.run("UPDATE mailstore_blob SET touched_s = 0")
    assert blobs.collect_blobs() == 1
    assert len(list(own_objects.glob("*/*"))) == 1
    age(own_objects)
    blobs.collect_blobs()
    assert not list(own_objects.glob("*/*"))


def test_writing_an_object_again_saves_it_from_being_removed(own_objects: Path) -> None:
    store = objects()
    store.write("aa/aa", b"1")
    age_of_all = time.time() - 100
    os.utime(own_objects / "aa/aa", (age_of_all, age_of_all))
    store.write("aa/aa", b"1")
    assert not store.remove_if_older("aa/aa", time.time() - 50)
    assert store.read("aa/aa") == b"1"


def test_every_column_that_may_hold_a_blob_is_on_the_list(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    assert blobs.unlisted_holders() == []
    monkeypatch.delitem(blobs.HOLDERS, ("mta_delivery", "blob_id"))
    with pytest.raises(MailError) as error:
        blobs.collect_blobs()
    assert error.value.data == {"holders": ["mta_delivery.blob_id"]}


def test_the_command_expires_after_the_domains_recovery_days(mine: Access, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = stored_many(mine, 2)
    purge(mine, [old, new])
    sql.run(
        "UPDATE mailstore_recoverable SET deleted_us = deleted_us - %s WHERE id = %s", [15 * collecting.DAY_US, old]
    )
    call_command("collect", grace=0)
    assert capsys.readouterr().out.startswith("recoverable 1, blobs ")
    assert sql.rows("SELECT id FROM mailstore_recoverable") == [(new,)]


def test_old_expunge_records_are_trimmed_and_the_floor_rises(mine: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "EXPUNGED_MAX", 3)
    for entry in stored_many(mine, 5):
        purge(mine, [entry])
    newest = list(Expunged.objects.order_by("modseq"))
    assert collect().expunged == 2
    assert list(Expunged.objects.order_by("modseq")) == newest[2:]
    assert sql.row("SELECT max(expunge_floor) FROM mailstore_folder") == (newest[1].modseq,)


@pytest.mark.parametrize("size", [0, 10, 5_000, 600_000])
def test_the_beginning_of_a_content_is_read_alone(db: None, size: int) -> None:
    content = CHANCE.randbytes(size // 2) + b"a" * (size - size // 2)
    encoded = blobs.encode(content)
    for length in (0, 1, 300, size):
        assert blobs.decode_head(encoded.codec, encoded.data, encoded.key, length) == content[:length]


MAILS = {
    "small": letter(),
    "long": letter(body="Dear all\r\n\r\n" * 10_000),
    "header of many blocks": letter(extra="\r\n".join(f"X-{n}: {n:0900d}" for n in range(300)), body="x" * 2_000),
    "header of noise": letter(extra=f"X-Noise: {CHANCE.randbytes(1_000).hex()}", body="x" * 2_000),
    "one letter again and again": letter(extra="X: " + "a" * 70_000, body="b" * 70_000),
    "much in all": letter(body=CHANCE.randbytes(150_000).hex()),
    "a body just long enough": letter(body="x" * blobs.BODY_MIN_BYTES),
    "no body": b"Subject: nothing\r\n\r\n",
    "no empty line": b"Subject: nothing\r\n",
}


@pytest.mark.parametrize("raw", MAILS.values(), ids=MAILS)
@pytest.mark.parametrize("once", [True, False], ids=["in one frame as it was", "in frames"])
def test_a_mail_and_every_beginning_of_it_are_read_back(
    monkeypatch: pytest.MonkeyPatch, raw: bytes, *, once: bool
) -> None:
    if once:
        monkeypatch.setattr(blobs, "_head_length", lambda content: 0)
    encoded = blobs.encode(raw)
    assert blobs.decode(encoded.codec, encoded.data, encoded.key, encoded.size) == raw
    head = raw.find(b"\r\n\r\n") + 4
    for length in {0, 1, head - 1, head, head + 1, len(raw) - 1, len(raw)}:
        assert blobs.decode_head(encoded.codec, encoded.data, encoded.key, length) == raw[:length]


def test_a_header_is_read_without_the_body() -> None:
    raw = letter(body="Dear all, " * 1_000)
    encoded = blobs.encode(raw)
    head = raw.index(b"\r\n\r\n") + 4
    assert encoded.data is not None
    assert len(encoded.data) < 0.1 * len(raw)
    cut = encoded.data[:-10]
    assert blobs.decode_head(encoded.codec, cut, "", head) == raw[:head]
    with pytest.raises(zstandard.ZstdError):
        blobs.decode(encoded.codec, cut, "", encoded.size)
