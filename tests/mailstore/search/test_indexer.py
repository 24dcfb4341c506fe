"""Taking mail in and out: once each, everything that waits, whatever a mail holds."""

from __future__ import annotations

import base64
import threading
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.access import Access
from core.errors import ErrorKind, MailError
from mailstore import blobs, objects, sql
from mailstore.models import SearchRemoval, SearchTodo
from mailstore.search import document
from mailstore.search.index import index
from mailstore.search.indexer import Indexer, only_indexer
from mailstore.search.words import asked
from mailstore.services.entries import expire_recoverable, purge
from tests.mailstore.letters import letter, stored, stored_many

ON_SQLITE = pytest.mark.skipif(connection.vendor != "sqlite", reason="about the file that SQLite's index lies in")


def hits(access: Access, text: str) -> list[int]:
    """Messages that hold a text, newest first."""
    phrase = asked(text)
    assert phrase is not None
    return [hit.message_id for hit in index().hits(access.mailbox, phrase, low=0, high=1 << 62, limit=1_000)]


def message_of(entry: int) -> int:
    """The message of an entry."""
    return int(sql.row("SELECT message_id FROM mailstore_entry WHERE id = %s", [entry])[0])


def with_file(name: str, content: bytes) -> bytes:
    """A mail with an attachment."""
    head = (
        "From: a@b.test\r\nTo: c@d.test\r\nSubject: file\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        "--x\r\nContent-Type: text/plain\r\n\r\nsee file\r\n--x\r\nContent-Type: application/octet-stream\r\n"
        f'Content-Disposition: attachment; filename="{name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    )
    return head.encode() + base64.encodebytes(content).replace(b"\n", b"\r\n") + b"--x--\r\n"


def test_new_mail_is_taken_in_once_newest_first(mine: Access, indexer: Indexer) -> None:
    entries = stored_many(mine, 5)
    assert indexer.drain() == 5
    assert hits(mine, "letter") == [message_of(entry) for entry in reversed(entries)]
    assert not SearchTodo.objects.exists()
    assert indexer.drain() == 0


def test_more_than_a_second_holds_keep_their_mailbox_apart(mine: Access, his: Access, indexer: Indexer) -> None:
    for number in range(70):
        stored(mine, letter(f"a{number}"), at_us=1_700_000_000_000_000)
    stored(his, letter("b"), at_us=1_700_000_000_000_000)
    indexer.drain()
    assert len(set(hits(mine, "budget"))) == 70
    assert len(hits(his, "budget")) == 1


def test_a_mail_that_waits_again_replaces_and_never_doubles(
    mine: Access, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = message_of(stored(mine, letter("a", body="old words")))
    indexer.drain()
    SearchTodo.objects.create(message_id=message, mailbox_id=mine.mailbox)
    indexer.drain()
    assert (hits(mine, "old words"), index().size()) == ([message], (1, 0))
    monkeypatch.setattr(document, "body_text", lambda message: "new words")
    SearchTodo.objects.create(message_id=message, mailbox_id=mine.mailbox)
    indexer.drain()
    assert (hits(mine, "old words"), hits(mine, "new words")) == ([], [message])


def test_what_the_store_drops_leaves_the_index_and_then_lets_its_bytes_go(mine: Access, indexer: Indexer) -> None:
    gone, kept = (stored(mine, letter(name, body=f"unique {name}")) for name in "ab")
    indexer.drain()
    purge(mine, [gone])
    assert len(hits(mine, "unique")) == 2, "it can be recovered"
    expire_recoverable(mine.mailbox, 1 << 60)
    assert blobs.collect_blobs(-10) == 0, "its bytes are needed to take its words out"
    indexer.drain()
    assert hits(mine, "unique") == [message_of(kept)]
    assert (index().size(), SearchRemoval.objects.count()) == ((1, 0), 0)
    assert blobs.collect_blobs(-10) == 1


def test_a_mail_dropped_before_it_was_taken_in_stays_out(mine: Access, indexer: Indexer) -> None:
    purge(mine, [stored(mine, letter("a"))])
    expire_recoverable(mine.mailbox, 1 << 60)
    indexer.drain()
    assert (hits(mine, "budget"), index().size()) == ([], (0, 0))


def test_a_mail_dropped_while_its_files_are_read_stays_out(
    mine: Access, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def slow(self: Indexer, name: str, content: bytes) -> str:
        reading.set()
        assert go_on.wait(60)
        return "late"

    monkeypatch.setattr(Indexer, "_read_file", slow)
    entry = stored(mine, with_file("a.txt", b"x"))
    indexer.round()
    assert reading.wait(60)
    purge(mine, [entry])
    expire_recoverable(mine.mailbox, 1 << 60)
    indexer.round()
    go_on.set()
    indexer.drain()
    assert (hits(mine, "late"), index().size()) == ([], (0, 0))


@ON_SQLITE
def test_words_that_cannot_be_made_again_are_hidden_and_their_key_is_not_given_again(
    mine: Access, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = stored(mine, letter("a", body="ephemeral"), at_us=1_700_000_000_000_000)
    indexer.drain()
    monkeypatch.setattr(document, "body_text", lambda message: "other")
    purge(mine, [gone])
    expire_recoverable(mine.mailbox, 1 << 60)
    indexer.drain()
    assert (hits(mine, "ephemeral"), index().size()) == ([], (0, 1))
    stored(mine, letter("b"), at_us=1_700_000_000_000_000)
    indexer.drain()
    assert hits(mine, "ephemeral") == []


def test_text_and_names_of_attachments_are_found(mine: Access, indexer: Indexer) -> None:
    message = message_of(stored(mine, with_file("报价单.txt", "内部底价 confidential".encode())))
    indexer.drain()
    for text in ("报价单", "底价", "confidential", "see file"):
        assert hits(mine, text) == [message], text


def test_a_forwarded_mail_is_found_by_what_is_in_it(mine: Access, indexer: Indexer) -> None:
    inner = letter("inner", subject="原始询盘", body="inquiry text").decode()
    raw = (
        "From: a@b.test\r\nSubject: fwd\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nlook\r\n"
        f"--x\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--x--\r\n"
    )
    message = message_of(stored(mine, raw.encode()))
    indexer.drain()
    assert hits(mine, "询盘") == hits(mine, "inquiry") == [message]


def test_a_mail_that_breaks_its_reader_is_known_by_its_subject(
    mine: Access, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(message: object) -> str:
        if message.subject == "poison apple":  # type: ignore[attr-defined]
            raise RecursionError
        return "fine"

    monkeypatch.setattr(document, "body_text", broken)
    poison, good = (message_of(stored(mine, letter(name, subject=name))) for name in ("poison apple", "good"))
    indexer.drain()
    assert hits(mine, "poison apple") == [poison]
    assert hits(mine, "fine") == [good]


def test_bytes_that_are_away_are_tried_again_later(
    mine: Access, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = message_of(stored(mine, letter("a")))
    real = blobs.decode

    def away(*columns: object) -> bytes:
        raise MailError(ErrorKind.UNAVAILABLE)

    monkeypatch.setattr(blobs, "decode", away)
    assert indexer.drain() == 0
    assert SearchTodo.objects.filter(pk=message).exists()
    monkeypatch.setattr(blobs, "decode", real)
    assert indexer.drain() == 0, "not at once"
    indexer._later.clear()
    assert indexer.drain() == 1


def test_a_round_asks_the_database_as_often_for_many_mails_as_for_two(mine: Access, indexer: Indexer) -> None:
    counts = []
    for count in (1, 2, 12):
        stored_many(mine, count, first=100 * count)
        with CaptureQueriesContext(connection) as captured:
            assert indexer.round() == count
        counts.append(len(captured))
    assert counts[1] == counts[2]


def test_a_large_import_does_not_delay_others(mine: Access, his: Access, indexer: Indexer) -> None:
    stored_many(mine, 200)
    own = message_of(stored(his, letter("a")))
    newest = message_of(stored(mine, letter("newest")))
    indexer.round()
    assert hits(his, "budget") == [own]
    assert hits(mine, "budget") == [newest]


@ON_SQLITE
def test_one_indexer_works_at_a_time(db: None) -> None:
    with only_indexer() as first, only_indexer() as second:
        assert (first, second) == (True, False)
    with only_indexer() as again:
        assert again


@pytest.mark.django_db(transaction=True)
def test_the_loop_takes_in_what_arrives_and_ends_when_asked(mine: Access) -> None:
    stop = threading.Event()
    worker = threading.Thread(target=_run_and_close, args=(stop,))
    worker.start()
    try:
        message = message_of(stored(mine, letter("a")))
        deadline = time.monotonic() + 60
        while hits(mine, "budget") != [message]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        stop.set()
        worker.join(60)
    assert not worker.is_alive()


def _run_and_close(stop: threading.Event) -> None:
    try:
        Indexer().run(stop)
    finally:
        connection.close()


@ON_SQLITE
def test_a_lost_file_is_made_again_by_the_next_indexer(mine: Access, indexer: Indexer) -> None:
    from mailstore.search import sqlite

    message = message_of(stored(mine, letter("a")))
    indexer.drain()
    sqlite.close()
    for path in Path(settings.DATA_DIR).glob("search.db*"):
        path.unlink()
    assert hits(mine, "budget") == []
    indexer.refill()
    indexer.drain()
    assert hits(mine, "budget") == [message]
    assert not index().is_new()


def test_the_object_store_holds_large_mail_too(mine: Access, indexer: Indexer, tmp_path: Path) -> None:
    import os

    body = base64.encodebytes(os.urandom(300_000)).decode().replace("\n", "\r\n")
    message = message_of(stored(mine, letter("a", body=f"needle\r\n{body}")))
    assert objects.objects() is not None
    indexer.drain()
    assert hits(mine, "needle") == [message]
