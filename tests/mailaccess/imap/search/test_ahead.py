"""A large folder that a program opens is read before it is searched: once, beside the work, and never where files are there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from django.conf import settings

from core.access import Access
from mailaccess.imap.search import ahead as module, files
from mailaccess.imap.search.ahead import Ahead, ahead
from mailaccess.imap.search.columns import columns
from mailstore import kept_files
from mailstore.services.folders import create_folder
from tests.factories import PASSWORD
from tests.mailaccess.conftest import Running
from tests.mailstore.letters import folder_id, stored_many


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A data folder of its own, and folders that are large soon."""
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    monkeypatch.setattr(files, "MIN_ROWS", 8)
    monkeypatch.setattr(module, "PATIENCE_S", 0.0)
    return tmp_path / "cache" / "folders"


def select(server: Running, name: bytes = b"INBOX") -> bytes:
    """A program opens a folder; what a search for a subject answers once nothing is read ahead any more."""
    talk = server.talk()
    talk.say(f'LOGIN alice@example.test "{PASSWORD}"'.encode())
    talk.say(b"SELECT " + name)
    asyncio.run_coroutine_threadsafe(ahead.done(), server.loop).result(60)
    files.saver.flush()
    found = talk.say(b'SEARCH SUBJECT "letter 7"')[0]
    talk.close()
    return found


def test_a_large_folder_that_is_opened_has_its_columns_before_it_is_searched(
    imap_server: Running, mine: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = folder_id(mine)
    stored_many(mine, 9)
    assert select(imap_server) == b"* SEARCH 8"
    assert [files.count(inbox, name) for name in ("subject", "from", "to", "cc", "bcc", "sent")] == [9] * 5 + [0]
    columns.forget()
    imap_server.loop.call_soon_threadsafe(ahead.close)  # as another process
    monkeypatch.setattr(module, "_steps", lambda _folder: pytest.fail("there are files"))
    assert select(imap_server) == b"* SEARCH 8"


def test_small_folders_are_left_alone(imap_server: Running, mine: Access, place: Path) -> None:
    stored_many(mine, 7)
    assert select(imap_server) == b"* SEARCH"
    assert not place.exists()


def test_a_folder_that_has_grown_by_a_third_is_read_on(mine: Access) -> None:
    inbox = folder_id(mine)
    stored_many(mine, 9)
    found = Ahead()
    assert found.is_wanted(inbox, 9)
    assert not found.is_wanted(inbox, 11), "looked at already"
    assert found.is_wanted(inbox, 13)
    assert not found.is_wanted(inbox, 13)
    column = files.Column(files.array("I", range(1, 10)), b"x\n" * 9)
    for name in module.NAMES:
        kept_files.write(inbox, name, files.encoded(inbox, 1, name, column, []))
    assert not Ahead().is_wanted(inbox, 12)
    assert Ahead().is_wanted(inbox, 13)


def test_a_folder_that_went_meanwhile_holds_up_no_other(imap_server: Running, mine: Access) -> None:
    gone = create_folder(mine, "gone") + 1
    stored_many(mine, 9)
    imap_server.loop.call_soon_threadsafe(ahead.begin, gone)
    assert select(imap_server) == b"* SEARCH 8"
    assert files.count(folder_id(mine), "subject") == 9


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    async def note(folder_id: int) -> None:
        read.append(folder_id)
        if folder_id == 3:
            raise ValueError("a fault of one folder")

    async def many() -> None:
        found = Ahead()
        for number in range(module.WAITING_MAX + 5):
            found.begin(number)
            found.begin(0)
        await found.done()
        assert read == list(range(module.WAITING_MAX))
        found.begin(7)
        await found.done()
        assert read[-1] == 7
        found.close()

    monkeypatch.setattr(module, "_read", note)
    asyncio.run(many())
