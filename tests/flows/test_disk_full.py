"""The disk is full: a clear, temporary no; nothing acknowledged is lost; work goes on when there is room."""

from __future__ import annotations

import errno
import os
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from accounts.models import Account
from core.errors import ErrorKind, MailError
from mailstore import objects as object_store, writer
from mailstore.check_store import check_store
from mailstore.models import Draft, Entry
from mailstore.services.deliver import prepare
from tests.mta.conftest import Running
from tests.webmail.mails import browser_of

needs_sqlite = pytest.mark.skipif(
    settings.DATABASES["default"]["ENGINE"] != "core.sqlite", reason="a page limit stands for the full disk; only SQLite has one"
)  # fmt: skip
HEADER = "From: x@far.example\r\nTo: alice@example.test\r\nSubject: {0}\r\nMessage-ID: <{0}@far.example>\r\n\r\n"


@contextmanager
def no_room(pages: int) -> Iterator[None]:
    """New connections of this process, and this thread's, may let the database grow by so many pages."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # pages that earlier tests left free would be room
        cursor.execute("PRAGMA page_count")
        limit = int(cursor.fetchone()[0]) + pages
        cursor.execute(f"PRAGMA max_page_count = {limit}")
        options: dict[str, Any] = connection.settings_dict["OPTIONS"]
        before = options["init_command"]
        options["init_command"] = f"{before}; PRAGMA max_page_count = {limit}"
        try:
            yield
        finally:
            options["init_command"] = before
            cursor.execute("PRAGMA max_page_count = 1073741823")


@needs_sqlite
def test_smtp_says_452_and_takes_mail_again_when_there_is_room(running: Running, alice: Account) -> None:
    writer.drain()
    acknowledged: list[str] = []
    with no_room(150), running.client() as client:
        with pytest.raises(smtplib.SMTPDataError) as caught:
            for number in range(200):
                body = os.urandom(20_000).hex()
                lines = "\r\n".join(body[at : at + 70] for at in range(0, len(body), 70))
                message = HEADER.format(f"full{number}") + lines + "\r\n"
                client.sendmail("x@far.example", ["alice@example.test"], message)
                acknowledged.append(f"full{number}")
        assert (caught.value.smtp_code, caught.value.smtp_error[:5]) == (452, b"4.3.1")
        assert acknowledged
    writer.drain()
    subjects = {row.message_id: row for row in Entry.objects.all()}
    assert len(subjects) == len(acknowledged)
    assert check_store() == []
    with running.client() as client:
        client.sendmail("x@far.example", ["alice@example.test"], HEADER.format("after") + "There is room\r\n")
    assert Entry.objects.count() == len(acknowledged) + 1


@needs_sqlite
def test_the_composer_says_so_and_keeps_what_was_saved(transactional_db: None, alice: Account) -> None:
    browser = browser_of(alice)
    asks = {"Accept": "application/json"}
    first = browser.post(
        "/compose/", {"subject": "Kept", "format": "html", "html": "<p>First</p>", "revision": 0}, headers=asks
    )
    assert first.status_code == 200
    draft = Draft.objects.get()
    form = {
        "subject": "Kept",
        "format": "html",
        "html": f"<p>{os.urandom(200_000).hex()}</p>",
        "revision": draft.revision,
    }
    with no_room(10):
        answer = browser.post(f"/compose/{draft.pk}/save", form, headers=asks)
        assert answer.status_code == 507
        assert "disk is full" in answer.json()["error"]
        page = browser.post(f"/compose/{draft.pk}/save", form)
        assert (page.status_code, "still in your browser" in page.content.decode()) == (507, True)
        assert browser.get(f"/compose/{draft.pk}/").status_code == 200
    assert "First" in Draft.objects.get().html
    assert browser.post(f"/compose/{draft.pk}/save", form, headers=asks).status_code == 200
    assert check_store() == []


def test_a_large_mail_whose_object_finds_no_room_is_refused_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    write = os.write

    def full(descriptor: int, data: Any) -> int:
        if len(data) > 4096:
            return write(descriptor, data[:4096])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(object_store.os, "write", full)
    raw = HEADER.format("large").encode() + os.urandom(400_000).hex().encode()
    with pytest.raises(MailError) as caught:
        prepare(raw)
    assert caught.value.kind is ErrorKind.NO_SPACE
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file() and path.name != ".lock"] == []
    monkeypatch.undo()
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    assert prepare(raw).encoded.key
