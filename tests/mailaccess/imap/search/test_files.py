"""A process reads from the disk what another has read of the database, and believes no more than the database bears out."""

from __future__ import annotations

import contextlib
import dataclasses
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.access import Access
from mailaccess.imap.search import files
from mailaccess.imap.search.columns import HEADER, Columns
from mailstore import kept_files, sql
from mailstore.services.entries import purge
from mailstore.services.folders import create_folder
from tests.mailaccess.imap.search.test_columns import ended
from tests.mailstore.letters import folder_id, letter, stored

COUNT = 12
TEXTS = ("subject", "from", "by-subject", "ancestors", HEADER + "x-kind")
NUMBERS = ("sent", "is-reply", "message")


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A data folder of its own, and folders that are large soon."""
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    monkeypatch.setattr(files, "MIN_ROWS", 3)
    monkeypatch.setattr("mailaccess.imap.search.columns.MIN_GROWN", 2)
    return tmp_path / "cache" / "folders"


@pytest.fixture
def entries(mine: Access) -> list[int]:
    """Some mails in the inbox."""
    return [mail(mine, number) for number in range(COUNT)]


def mail(mine: Access, number: int) -> int:
    """One of them."""
    references = [f"m{number - 1}"] * (number % 2)
    subject = f"{'Re: ' * (number % 3 == 1)}预算 Budget {number}"
    return stored(mine, letter(f"m{number}", subject=subject, references=references, extra=f"X-Kind: {number % 4}"))


def uids(mine: Access) -> array[int]:
    """What lies in the inbox."""
    rows = sql.rows("SELECT uid FROM mailstore_entry WHERE folder_id = %s ORDER BY uid", [folder_id(mine)])
    return array("I", [row[0] for row in rows])


def asked(mine: Access, kept: Columns | None = None, *, files_too: bool = True) -> list[object]:
    """Every column as a process that has just started tells it; the files are written when it returns."""
    kept = kept or Columns()
    wanted = uids(mine)
    with pytest.MonkeyPatch.context() as patch:
        if not files_too:
            patch.setattr(files, "MIN_ROWS", 1 << 30)
        found: list[object] = []
        for name in TEXTS:
            found.append(ended(kept.lines(folder_id(mine), wanted, name)))
            files.saver.flush()
        for name in NUMBERS:
            found.append(list(ended(kept.numbers(folder_id(mine), wanted, name))))
            files.saver.flush()
    return found


@contextlib.contextmanager
def reads(*, messages: int) -> Iterator[None]:
    """How often rows of messages are read meanwhile; proofs are asked by the UID alone."""
    with CaptureQueriesContext(connection) as queries:
        yield
    made = [each["sql"] for each in queries if "mailstore_message" in each["sql"] and "BETWEEN" in each["sql"]]
    assert len(made) == messages, made


def test_a_new_process_reads_files_and_answers_the_same(mine: Access, entries: list[int]) -> None:
    truth = asked(mine, files_too=False)
    assert not kept_files.root().exists(), "a small folder has none"
    assert asked(mine) == truth
    with reads(messages=0):
        assert asked(mine) == truth


def test_what_came_later_is_read_from_the_database(mine: Access, entries: list[int]) -> None:
    asked(mine)
    mail(mine, COUNT)
    truth = asked(mine, files_too=False)
    with reads(messages=len(TEXTS) + len(NUMBERS) - 1):  # `is-reply` of one, `message` is the entry's
        assert asked(mine) == truth
    for number in range(3):
        mail(mine, COUNT + 1 + number)
    truth = asked(mine)
    with reads(messages=0):  # so much more that the files were written anew
        assert asked(mine) == truth


@pytest.mark.parametrize("left", [slice(0, 1), slice(4, 6), slice(-2, None), slice(-9, -1)], ids=str)
def test_what_was_expunged_meanwhile_is_in_no_answer(mine: Access, entries: list[int], left: slice) -> None:
    asked(mine)
    purge(mine, entries[left])
    truth = asked(mine, files_too=False)
    with reads(messages=0):
        assert asked(mine) == truth
    mail(mine, COUNT)
    assert asked(mine) == asked(mine, files_too=False)


def _subject(mine: Access) -> Path:
    return kept_files._path(folder_id(mine), "subject")


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def _encode(path: Path, mine: Access, **changed: object) -> None:
    """A whole file that says something else."""
    column = files.load(folder_id(mine), "subject")
    assert column is not None
    facts = {
        "folder_id": folder_id(mine),
        "uidvalidity": sql.row("SELECT uidvalidity FROM mailstore_folder WHERE id = %s", [folder_id(mine)])[0],
        "name": "subject",
        "column": dataclasses.replace(column, lines=column.lines.upper()),
        "known": files.marks(folder_id(mine), column.uids),
    }
    path.write_bytes(files.encoded(**(facts | changed)))  # type: ignore[arg-type]


DAMAGE: dict[str, Callable[[Path, Access], object]] = {
    "empty": lambda path, _: path.write_bytes(b""),
    "cut": lambda path, _: path.write_bytes(path.read_bytes()[:-5]),
    "cut in its head": lambda path, _: path.write_bytes(path.read_bytes()[:9]),
    "a bit in its middle": lambda path, _: _flip(path, path.stat().st_size // 2),
    "a bit in its checksum": lambda path, _: _flip(path, -1),
    "nonsense": lambda path, _: path.write_bytes(b"GIF89a" * 1000),
    "nothing in a frame": lambda path, _: path.write_bytes(b"\1\0\0\0" + files.zstandard.compress(b"")),
    "of another column": lambda path, mine: _encode(path, mine, name="from"),
    "of another folder": lambda path, mine: _encode(path, mine, folder_id=folder_id(mine) + 1),
    "another UIDVALIDITY": lambda path, mine: _encode(path, mine, uidvalidity=7),
    "without marks": lambda path, mine: _encode(path, mine, known=[]),
    "marks of other mails": lambda path, mine: _encode(path, mine, known=[(1, 5, 5)]),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_file_that_can_not_be_proven_is_not_believed_and_is_made_anew(
    mine: Access, entries: list[int], how: str
) -> None:
    truth = asked(mine)
    DAMAGE[how](_subject(mine), mine)
    with reads(messages=1):
        assert asked(mine) == truth
    with reads(messages=0):
        assert asked(mine) == truth


def test_the_test_above_would_notice_a_wrong_file(mine: Access, entries: list[int]) -> None:
    truth = asked(mine)
    _encode(_subject(mine), mine)
    assert asked(mine) != truth


def test_other_code_or_other_tables_read_anew(
    mine: Access, entries: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = asked(mine)
    monkeypatch.setattr(files, "form", lambda: b"another version".ljust(32))
    with reads(messages=len(TEXTS) + len(NUMBERS) - 1):
        assert asked(mine) == truth


def test_after_the_database_was_put_back_nothing_of_the_lost_days_is_told(mine: Access, entries: list[int]) -> None:
    """The same UIDs and ids, given once more to other mails."""
    asked(mine)
    reused = "SELECT id FROM mailstore_message ORDER BY id DESC LIMIT 3"
    lost = [row[0] for row in sql.rows(reused)]
    mark = sql.marks(lost)
    sql.run(f"UPDATE mailstore_message SET subject = 'new', received_us = received_us + 1 WHERE id IN ({mark})", lost)
    assert asked(mine) == asked(mine, files_too=False)


def test_after_the_database_was_put_back_further_than_the_marks_go(
    mine: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what stands before the last mark that is still true counts."""
    monkeypatch.setattr(files, "MARKS", 2)
    entries = [mail(mine, number) for number in range(COUNT)]
    asked(mine)
    purge(mine, entries[-3:])
    sql.run(
        "UPDATE mailstore_message SET subject = 'new' WHERE id = (SELECT message_id FROM mailstore_entry WHERE id = %s)",
        [entries[-4]],
    )
    assert asked(mine) == asked(mine, files_too=False)


def test_a_folder_of_another_name_has_files_of_its_own(mine: Access, entries: list[int]) -> None:
    asked(mine)
    other = create_folder(mine, "other")
    assert ended(Columns().lines(other, array("I", [1, 2, 3]), "subject")) == b"\n\n\n"
    files.saver.flush()


def test_a_column_that_is_too_large_is_left_out(
    mine: Access, entries: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 1)
    truth = asked(mine)
    assert not _subject(mine).exists()
    with reads(messages=len(TEXTS) + len(NUMBERS) - 1):
        assert asked(mine) == truth
