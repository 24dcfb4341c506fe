"""The turnstile: several writing processes, nobody's change lost, nobody starved, no lock left behind."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction

from core.sqlite.locks import Turnstile


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file with a counter, and who wrote when."""
    path = tmp_path / "t.db"
    file = sqlite3.connect(path)
    file.execute("PRAGMA journal_mode=WAL")
    file.execute("CREATE TABLE counter (value integer)")
    file.execute("INSERT INTO counter VALUES (0)")
    file.execute("CREATE TABLE turn (id integer PRIMARY KEY, name text)")
    file.commit()
    file.close()
    return path


def column_of(path: Path, query: str) -> list[object]:
    """The first column of a query's rows."""
    file = sqlite3.connect(path)
    try:
        return [row[0] for row in file.execute(query)]
    finally:
        file.close()


def start(path: Path, count: int, hold_s: float, name: str = "") -> subprocess.Popen[str]:
    """A process that is ready to write."""
    command = [sys.executable, "-m", "tests.core.turnstile_worker", str(path), str(count), str(hold_s), name]
    worker = subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=None
        if settings.DATABASES["default"]["ENGINE"] == "core.sqlite"
        else {"PATH": "", "DATA_DIR": str(path.parent)},
    )
    assert worker.stdout
    assert worker.stdout.readline() == "ready\n"
    return worker


def test_processes_take_turns_and_lose_nothing(database: Path) -> None:
    asked = ((100, 0.01, "hot"), (20, 0.0, "a"), (20, 0.0, "b"))
    for worker in _told([start(database, *each) for each in asked]):
        worker.communicate(timeout=60)
    assert column_of(database, "SELECT value FROM counter") == [140]
    turns = column_of(database, "SELECT name FROM turn ORDER BY id")
    assert sorted(turns) == sorted(name for count, _, name in asked for _ in range(count))
    last = max(number for number, name in enumerate(turns) if name != "hot")
    # SQLite's own busy handler lets a hot writer come first nearly always.
    assert turns[:last].count("hot") <= 60


def _told(workers: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    """Let all of them begin at once."""
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("go\n")
        worker.stdin.flush()
    return workers


def test_a_killed_writer_leaves_the_turnstile_open(database: Path) -> None:
    worker = start(database, 1_000, 0.02)
    _told([worker])
    worker.kill()
    worker.communicate()
    gate = Turnstile(str(database))
    taken = threading.Event()
    thread = threading.Thread(target=lambda: (gate.acquire(), taken.set()))
    thread.start()
    assert taken.wait(60)
    thread.join()
    gate.close()


@pytest.mark.skipif(settings.DATABASES["default"]["ENGINE"] != "core.sqlite", reason="our SQLite backend")
class TestBackend:
    """Which statements pass the turnstile."""

    def test_a_transaction_holds_it_until_its_end(self, transactional_db: None) -> None:
        connection.ensure_connection()
        gate = connection.turnstile
        assert gate is not None
        with transaction.atomic():
            assert gate.held
            with transaction.atomic():
                assert gate.held
            assert gate.held
        assert not gate.held

    def test_what_only_reads_needs_no_transaction_and_no_cursor_of_django(self, transactional_db: None) -> None:
        connection.ensure_connection()
        cursor = connection.quick_cursor("SELECT %s + 1", [2])
        assert cursor.fetchone() == (3,)
        cursor.close()
        assert connection.quick_cursor("DELETE FROM logs_app_event", []) is None, "it would not take its turn"
        assert not connection.in_atomic_block

    def test_a_rollback_gives_it_back(self, transactional_db: None) -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            raise ZeroDivisionError
        assert not connection.turnstile.held

    def test_a_lone_write_takes_it_for_a_moment_and_a_read_never(
        self, transactional_db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connection.ensure_connection()
        taken: list[bool] = []
        acquire = Turnstile.acquire
        monkeypatch.setattr(Turnstile, "acquire", lambda gate: (taken.append(True), acquire(gate)))
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert not taken
            cursor.execute("DELETE FROM mta_accepted WHERE at_us < %s", [0])
        assert (len(taken), connection.turnstile.held) == (1, False)

    def test_closing_in_a_transaction_leaves_nothing_locked(self, transactional_db: None) -> None:
        other = Turnstile(str(connection.settings_dict["NAME"]))
        connection.set_autocommit(False)
        connection.close()
        other.acquire()
        other.close()
