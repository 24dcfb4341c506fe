"""A backup of a running installation, restored for real into an empty one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils.crypto import get_random_string

from accounts.models import Account
from core.errors import ErrorKind, MailError
from mailstore import sql
from mailstore.blobs import collect_blobs
from tests.installation import Installation
from tests.webmail.mails import deliver, mail
from webmail.backup import databases
from webmail.backup.make import make_backup
from webmail.backup.restore import restore_backup

IS_POSTGRES = settings.DATABASES["default"]["ENGINE"] != "core.sqlite"
COMPANY = """
from accounts.services import create_account, create_domain
create_account(create_domain("example.test"), "alice", name="Alice", password=None)
"""
CONTENTS = """
import hashlib
from mailstore import blobs, sql
from django.conf import settings
from mailstore.check_store import check_store
from mailstore.verify_blobs import verify_blobs
print(len(check_store()), len(verify_blobs().findings), "findings")
for name, blob_id in sql.rows("SELECT m.message_id_hash, m.blob_id FROM mailstore_message m JOIN mailstore_entry e ON e.message_id = m.id"):
    print(name, hashlib.sha256(blobs.get(blob_id)).hexdigest())
"""


def database(name: str) -> str:
    """The URL of a new, empty database beside the test's own; nothing on SQLite."""
    if not IS_POSTGRES:
        return ""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    found = connection.settings_dict
    secret = f":{found['PASSWORD']}" if found["PASSWORD"] else ""
    return f"postgres://{found['USER']}{secret}@{found['HOST']}:{found['PORT']}/{name}"


@pytest.fixture
def places(transactional_db: None, tmp_path: Path) -> Iterator[tuple[Installation, Installation]]:
    """An installation with an account, and an empty one."""
    names = [f"gm_{get_random_string(8).lower()}" for _ in range(2)]
    found = [Installation(tmp_path / name, database(name)) for name in names]
    found[0].run("migrate", "-v", "0")
    found[0].script(COMPANY)
    yield found[0], found[1]
    for name in names if IS_POSTGRES else []:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def mails(text: str) -> set[str]:
    """The mails that CONTENTS printed, each with the hash of its bytes."""
    first, *rest = text.splitlines()
    assert first == "0 0 findings"
    return set(rest)


def killed_backup(live: Installation, target: Path) -> None:
    """A backup that was killed as soon as it had begun to write."""
    process = live.start("backup", str(target))
    while process.poll() is None and not list(target.parent.glob(f".{target.name}.*/*")):
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=60)


@pytest.mark.slow
def test_a_backup_under_load_restores_to_a_clean_store_with_every_byte(
    places: tuple[Installation, Installation], tmp_path: Path
) -> None:
    live, empty = places
    target = tmp_path / "b"
    kept = [each.data_dir / "cache" / "folders" / "2" / "2000000001-00" for each in places]
    for path in kept:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"of another day")
    writer = live.start("alice@example.test", module="tests.mail_writer")
    assert writer.stdout is not None
    before = [writer.stdout.readline().strip() for _ in range(60)]
    assert all(before)
    killed_backup(live, target)
    assert not target.exists(), "a killed backup looks like none"
    try:
        live.run("backup", str(target))
    finally:
        writer.kill()
        rest = writer.communicate(timeout=60)[0]
    assert rest.count("\n") > 1, "nothing was written meanwhile"
    manifest = json.loads((target / "manifest.json").read_text())
    assert any(name.startswith("blobs/") for name in manifest["files"])
    assert not [name for name in manifest["files"] if "cache" in name]

    assert "Restored" in empty.run("restore", str(target))
    assert [path.exists() for path in kept] == [True, False], "what was made of another database is gone"
    restored, now = mails(empty.script(CONTENTS)), mails(live.script(CONTENTS))
    assert len(before) <= len(restored) <= len(now)
    assert restored <= now
    assert (empty.data_dir / "keyring").read_text() == (live.data_dir / "keyring").read_text()
    assert "already" in empty.run("restore", str(target), fails=True)


@pytest.fixture
def dumped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A backup directory made in this process; the database's own file is a stand-in."""
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path / "data")
    monkeypatch.setattr(databases, "dump", lambda folder: (folder / databases.file_name()).write_bytes(b"a database"))
    monkeypatch.setattr(databases, "has_tables", lambda: False)
    return tmp_path / "b"


def problems(source: Path) -> list[str]:
    """Why a backup isn't restored."""
    with pytest.raises(MailError) as caught:
        restore_backup(source)
    return caught.value.data.get("problems", [caught.value.kind.value])  # type: ignore[return-value]


def test_what_was_changed_or_not_finished_is_not_restored(db: None, dumped: Path) -> None:
    make_backup(dumped)
    with pytest.raises(MailError) as caught:
        make_backup(dumped)
    assert caught.value.kind is ErrorKind.EXISTS
    name = databases.file_name()
    (dumped / name).write_bytes(b"another")
    assert problems(dumped) == [f"{name}: changed since the backup was made"]
    (dumped / name).unlink()
    assert problems(dumped) == [f"{name}: missing"]
    manifest = json.loads((dumped / "manifest.json").read_text())
    manifest["files"]["../../etc/passwd"] = {"size": 1, "sha256": ""}
    (dumped / "manifest.json").write_text(json.dumps(manifest))
    assert "../../etc/passwd: outside the backup" in problems(dumped)
    (dumped / "manifest.json").write_text(json.dumps(manifest | {"version": 2}))
    assert "not a backup that this version reads" in problems(dumped)[0]
    (dumped / "manifest.json").write_text("{")
    assert problems(dumped)[0].startswith("manifest.json")
    (dumped / "manifest.json").unlink()
    assert problems(dumped) == ["not_found"]
    assert not (settings.DATA_DIR / "blobs").exists()


def test_an_object_that_the_store_lost_is_named_and_the_rest_is_saved(
    db: None, dumped: Path, alice: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        deliver(alice, mail(os.urandom(300_000).hex(), Message_ID=f"<{number}@x.test>"))
    lost, kept = sorted((settings.DATA_DIR / "blobs").glob("*/*"))
    lost.unlink()
    with pytest.raises(SystemExit):
        call_command("backup", str(dumped))
    assert f"the store has lost it: {lost.parent.name}/{lost.name}" in capsys.readouterr().out
    assert (dumped / "blobs" / kept.parent.name / kept.name).read_bytes() == kept.read_bytes()
    damaged = bytearray(kept.read_bytes())
    damaged[-10] ^= 1
    kept.write_bytes(damaged)
    assert len(make_backup(dumped.with_name("c")).missing) == 2


def test_an_object_whose_row_went_after_the_copy_is_still_saved(db: None, dumped: Path, alice: Account) -> None:
    deliver(alice, mail(os.urandom(300_000).hex()))
    for table in ("entry", "message", "searchtodo"):
        sql.run(f"DELETE FROM mailstore_{table}")
    assert collect_blobs(-60, limit=1) == 1
    (settings.DATA_DIR / "blobs").mkdir(exist_ok=True)
    sql.run("UPDATE mailstore_goneobject SET gone_s = gone_s + 3600")
    assert make_backup(dumped).missing == []


def test_a_backup_of_the_other_database_is_refused_with_advice(db: None, dumped: Path) -> None:
    make_backup(dumped)
    manifest = json.loads((dumped / "manifest.json").read_text())
    del manifest["files"][databases.file_name()]
    (dumped / "manifest.json").write_text(json.dumps(manifest))
    assert "move_database" in problems(dumped)[0]


@pytest.mark.skipif(IS_POSTGRES, reason="a stale write-ahead log is SQLite's own danger")
def test_a_log_of_an_earlier_database_is_not_played_into_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, source = tmp_path / "mail.db", tmp_path / "backup"
    source.mkdir()
    for path, table in ((source / "mail.db", "ours"), (target, "strange")):
        with contextlib.closing(sqlite3.connect(path)) as made:
            made.execute("PRAGMA journal_mode=WAL")
            made.execute(f"CREATE TABLE {table} (x)")
            if path == target:
                shutil.copyfile(tmp_path / "mail.db-wal", tmp_path / "kept")
    target.unlink()
    (tmp_path / "kept").rename(tmp_path / "mail.db-wal")
    monkeypatch.setitem(connection.settings_dict, "NAME", target)
    databases.load(source)
    with contextlib.closing(sqlite3.connect(target)) as restored:
        assert restored.execute("SELECT name FROM sqlite_master").fetchall() == [("ours",)]
