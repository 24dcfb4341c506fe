"""A disk without room is told apart from everything else."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest
from django.db import OperationalError

from core.errors import ErrorKind
from core.full import is_full, refusal
from mta.smtp_in.replies import ERRORS
from webmail.middleware.errors import STATUS
from webmail.views.errors import SENTENCES


def sqlite_full(path: Path) -> sqlite3.Error:
    """The real thing."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA max_page_count = 2")
    database.execute("CREATE TABLE t (x)")
    with pytest.raises(sqlite3.OperationalError) as caught:
        database.execute("INSERT INTO t VALUES (zeroblob(100000))")
    database.close()
    return caught.value


def test_a_full_sqlite_database_is_full_through_djangos_error_too(tmp_path: Path) -> None:
    error = sqlite_full(tmp_path / "x.db")
    wrapped = OperationalError("database or disk is full")
    wrapped.__cause__ = error
    assert is_full(error)
    assert refusal(wrapped).kind is ErrorKind.NO_SPACE


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_so_is_a_file_system(number: int) -> None:
    assert is_full(OSError(number, "full"))


def test_so_is_postgresql_by_its_state() -> None:
    error = OperationalError("could not extend file")
    error.sqlstate = "53100"  # type: ignore[attr-defined]
    assert is_full(error)


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "x"), sqlite3.OperationalError("locked"), OperationalError("gone")]
)
def test_everything_else_is_unavailable(error: Exception) -> None:
    assert refusal(error).kind is ErrorKind.UNAVAILABLE


def test_every_kind_has_an_answer_in_every_protocol() -> None:
    for table in (STATUS, SENTENCES, ERRORS):
        assert set(table) == set(ErrorKind)  # type: ignore[arg-type]
    assert ERRORS[ErrorKind.NO_SPACE].startswith(b"452 4.3.1 ")
    assert STATUS[ErrorKind.NO_SPACE] == 507
