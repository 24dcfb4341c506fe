"""The database as one file and back: SQLite by its online backup API, PostgreSQL by pg_dump and pg_restore."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

from django.db import connection

from core.errors import ErrorKind, MailError

SQLITE_FILE = "mail.db"
POSTGRES_FILE = "mail.pgdump"


def dump(folder: Path) -> None:
    """A consistent copy below `folder`. Readers and writers of the database go on meanwhile. UNAVAILABLE (`error`)."""
    if connection.vendor == "sqlite":
        _dump_sqlite(folder / SQLITE_FILE)
    else:
        _run("pg_dump", "--format=custom", "--no-owner", "--file", str(folder / POSTGRES_FILE))


def load(folder: Path) -> None:
    """The way back, into a database without tables. On SQLite the file appears in one step, last of all."""
    if connection.vendor == "sqlite":
        target = Path(str(connection.settings_dict["NAME"]))
        fresh = target.with_name(f".{target.name}.part")
        shutil.copyfile(folder / SQLITE_FILE, fresh)
        fresh.chmod(0o600)
        _sync(fresh)
        for suffix in ("-wal", "-shm", "-journal"):
            # SQLite would play the log of a database that is gone into the new one.
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        fresh.rename(target)
        _sync(target.parent)
    else:
        name = str(connection.settings_dict["NAME"])
        _run("pg_restore", "--no-owner", "--single-transaction", "--dbname", name, str(folder / POSTGRES_FILE))


def has_tables() -> bool:
    """Whether there is a database of ours already. Looks without making one."""
    if connection.vendor == "sqlite" and not Path(str(connection.settings_dict["NAME"])).exists():
        return False
    try:
        return bool(connection.introspection.table_names())
    finally:
        connection.close()


def file_name() -> str:
    """What the dump of this kind of database is called."""
    return SQLITE_FILE if connection.vendor == "sqlite" else POSTGRES_FILE


def _dump_sqlite(target: Path) -> None:
    """One step of the backup API holds one read transaction; in WAL mode no writer waits for it."""
    source = f"file:{Path(str(connection.settings_dict['NAME']))}?mode=ro"
    with (
        contextlib.closing(sqlite3.connect(source, uri=True)) as live,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        live.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
    _sync(target)


def _run(program: str, *arguments: str) -> None:
    """A program of PostgreSQL's client on our database."""
    if shutil.which(program) is None:
        raise MailError(ErrorKind.UNAVAILABLE, error=f"{program} is not installed (Debian: postgresql-client)")
    done = subprocess.run(  # noqa: S603 - our own words, no shell
        [program, *arguments], env=_environment(), check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise MailError(ErrorKind.UNAVAILABLE, error=f"{program}: {done.stderr.strip()[-500:]}")


def _environment() -> dict[str, str]:
    found = connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    given = {name: str(found[key]) for name, key in names.items() if found.get(key)}
    return dict(os.environ) | given


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
