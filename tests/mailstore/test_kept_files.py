"""Files beside the database: private, bounded, gone with what they are made of."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.models import Account
from accounts.selectors import access_for
from accounts.services import erase_account
from core.access import Access
from mailstore import kept_files
from mailstore.fields import pack
from mailstore.services.folders import create_folder, delete_folder
from tests.mailstore.letters import folder_id

WRITER = """
import sys
from pathlib import Path
from typing import Any
from django.conf import settings
settings.configure(DATA_DIR=Path(sys.argv[1]), DATABASES={})
from mailstore import kept_files
for _ in range(60):
    assert kept_files.write(int(sys.argv[2]), "subject", sys.argv[3].encode() * 50_000)
"""


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A data folder of its own."""
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    return tmp_path / "cache" / "folders"


@pytest.fixture
def mine(alice: Account) -> Access:
    """Alice in her own mailbox."""
    return access_for(alice, alice.pk)


def files(place: Path) -> list[Path]:
    """All files."""
    return sorted(path for path in place.rglob("*") if path.is_file())


def test_what_is_written_is_read_by_the_server_alone_whatever_its_name(place: Path) -> None:
    name = "header ../../x\0é"
    assert kept_files.read(pack(1, 2), name) is None
    assert kept_files.write(pack(1, 2), name, b"one")
    assert kept_files.write(pack(1, 2), name, b"two")
    assert kept_files.read(pack(1, 2), name) == b"two"
    assert [path.parent.parent for path in files(place)] == [place]
    assert {path.stat().st_mode & 0o777 for path in files(place)} == {0o600}
    folders = [place.parent, place, files(place)[0].parent]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}


def test_a_disk_that_takes_nothing_is_no_failure(place: Path) -> None:
    place.parent.mkdir()
    place.write_text("in the way")
    assert not kept_files.write(pack(1, 2), "a", b"x")
    assert kept_files.read(pack(1, 2), "a") is None
    assert kept_files.shrink() == 0


def test_a_folder_and_an_account_take_their_files_along(
    mine: Access, alice: Account, place: Path, django_capture_on_commit_callbacks: Any
) -> None:
    other = create_folder(mine, "other")
    for each in (other, folder_id(mine)):
        kept_files.write(each, "subject", b"x")
        kept_files.write(each, "from", b"x")
    kept_files.write(pack(mine.mailbox + 1, 1), "subject", b"x")
    with django_capture_on_commit_callbacks(execute=True):
        delete_folder(mine, other)
    assert len(files(place)) == 3
    assert kept_files.read(other, "subject") is None
    with django_capture_on_commit_callbacks(execute=True):
        erase_account(alice)
    assert len(files(place)) == 1
    assert kept_files.forget_strangers() == 1, "the folder is in no database"


def test_the_oldest_go_when_there_is_too_much(db: None, monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    monkeypatch.setattr(kept_files, "MAX_TOTAL_BYTES", 250)
    for age, name in enumerate("abcd"):
        kept_files.write(pack(1, age), name, b"x" * 100)
        path = max(files(place), key=lambda each: each.stat().st_mtime)
        os.utime(path, (time.time() - 100 + age, time.time() - 100 + age))
    assert kept_files.shrink() == 2
    assert [kept_files.read(pack(1, age), name) for age, name in enumerate("abcd")] == [None, None, *[b"x" * 100] * 2]


def test_what_is_old_or_was_never_finished_goes(place: Path) -> None:
    kept_files.write(pack(1, 1), "a", b"x")
    (path,) = files(place)
    part = path.with_name(f"{path.name}-1234{kept_files.PART}")
    part.write_bytes(b"half")
    assert kept_files.shrink() == 0
    past = time.time() - kept_files.UNFINISHED_S - 1
    os.utime(part, (past, past))
    os.utime(path, (past, past))
    assert kept_files.shrink() == 1
    assert files(place) == [path]
    past = time.time() - kept_files.MAX_AGE_S - 1
    os.utime(path, (past, past))
    assert kept_files.read(pack(1, 1), "a") is None
    assert kept_files.shrink() == 1


def test_processes_that_write_at_once_leave_one_whole_file(place: Path) -> None:
    folder = pack(1, 1)
    command = [sys.executable, "-c", WRITER, str(settings.DATA_DIR), str(folder)]
    writers = [subprocess.Popen([*command, letter]) for letter in "ab"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        data = kept_files.read(folder, "subject")
        seen.add((data[:1], len(data), len(set(data))) if data is not None else None)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen - {None} <= {(b"a", 50_000, 1), (b"b", 50_000, 1)}
    assert len(seen - {None}) > 0
    assert len(files(place)) == 1
