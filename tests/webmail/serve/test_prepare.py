"""What `serve` refuses before it starts anything."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError

from webmail.serve import prepare


@pytest.fixture
def taken(settings: Any) -> Iterator[int]:
    """A port that somebody listens to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_a_taken_port_is_named_with_the_setting_that_changes_it(settings: Any, taken: int) -> None:
    settings.WEB_PORT = taken
    with pytest.raises(CommandError, match=rf"Port {taken} of 127\.0\.0\.1 is in use\. .*WEB_PORT="):
        prepare.refuse_taken_ports(["redis", "web"])


def test_ports_of_programs_that_are_not_started_do_not_matter(settings: Any, taken: int) -> None:
    settings.MX_PORT = settings.WEB_PORT = taken
    prepare.refuse_taken_ports(["redis", "worker", "beat"])


def test_a_port_that_was_just_left_can_be_taken_again(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.WEB_PORT = server.getsockname()[1]
        with socket.create_connection(server.getsockname()) as client, server.accept()[0] as connection:
            connection.close()
            client.recv(1)
    prepare.refuse_taken_ports(["web"])


def test_a_second_serve_on_the_same_data_is_refused(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    with prepare.only_one(), pytest.raises(CommandError, match="runs already"):
        prepare.only_one()
    prepare.only_one().close()


def test_the_folder_of_redis_is_ours_alone_and_an_old_socket_goes(settings: Any, tmp_path: Path) -> None:
    settings.OWN_REDIS, settings.REDIS_DIR = True, tmp_path / "redis"
    settings.REDIS_DIR.mkdir(mode=0o755)
    (settings.REDIS_DIR / "redis.sock").touch()
    prepare.redis_folder()
    assert settings.REDIS_DIR.stat().st_mode & 0o777 == 0o700
    assert list(settings.REDIS_DIR.iterdir()) == []


def test_a_snapshot_is_a_database_and_the_last_five_are_kept(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    database = tmp_path / "mail.db"
    with contextlib.closing(sqlite3.connect(database)) as source:
        source.execute("CREATE TABLE mail (id)")
        source.execute("INSERT INTO mail VALUES (7)")
        source.commit()
    folder = tmp_path / "snapshots"
    folder.mkdir()
    for number in range(7):
        (folder / f"mail-2026010{number}-000000.db").touch()
    target = prepare.snapshot(database)
    with contextlib.closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT id FROM mail").fetchall() == [(7,)]
    assert len(list(folder.glob("mail-*.db"))) == 5
