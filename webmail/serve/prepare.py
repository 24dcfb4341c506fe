"""What must be done before anything starts: folders, one `serve` only, migrations with a snapshot, static files."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import socket
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

SNAPSHOTS_KEPT = 5
MAX_SOCKET_PATH = 104
PORTS = {
    "web": ("WEB_PORT",),
    "smtpd": ("MX_PORT", "SUBMISSION_PORT", "SUBMISSIONS_PORT", "LMTP_PORT"),
    "imapd": ("IMAP_PORT", "IMAPS_PORT"),
    "pop3d": ("POP3_PORT", "POP3S_PORT"),
}
"""The settings that name a program's ports."""


def prepare(programs: Iterable[str]) -> IO[str]:
    """All that the named programs need; the lock file that the caller keeps open. Raises CommandError when it can't
    start."""
    lock = only_one()
    redis_folder()
    refuse_half_configured()
    refuse_taken_ports(programs)
    migrate()
    collect_static()
    return lock


def refuse_half_configured() -> None:
    """What `manage.py check` calls an error stops the start."""
    serious = [str(message) for message in run_checks() if message.is_serious()]
    if serious:
        raise CommandError("\n".join(serious))


def refuse_taken_ports(programs: Iterable[str]) -> None:
    """A port that somebody else has, or that we may not have, is said now and not by a child that dies for ever."""
    for setting in (each for program in programs for each in PORTS.get(program, ())):
        port = getattr(settings, setting)
        if not port:
            continue  # that service is off
        try:
            _try_port(settings.LISTEN_HOST, port)
        except OSError as error:
            why = {errno.EADDRINUSE: "is in use", errno.EACCES: "needs a right that we have not"}
            said = why.get(error.errno or 0, error.strerror)
            raise CommandError(
                f"Port {port} of {settings.LISTEN_HOST} {said}. Choose another by {setting}, for example "
                f"{setting}={port + 10_000 if port < 50_000 else port - 10_000}."
            ) from None


def _try_port(host: str, port: int) -> None:
    family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


def only_one() -> IO[str]:
    """Two supervisors on one DATA_DIR would start everything twice."""
    lock = (settings.DATA_DIR / "serve.lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CommandError(f"Globalmail runs already with {settings.DATA_DIR} (DATA_DIR).") from None
    return lock


def redis_folder() -> None:
    """A folder only we may enter, without the socket of an earlier run."""
    if not settings.OWN_REDIS:
        return
    settings.REDIS_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.REDIS_DIR.chmod(0o700)
    path = settings.REDIS_DIR / "redis.sock"
    path.unlink(missing_ok=True)
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        raise CommandError(f"The path of the Redis socket is too long for a socket: {path}. Choose a shorter DATA_DIR.")


def migrate() -> None:
    """Bring the schema up to date; SQLite is copied first when there is something to do."""
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if pending:
        if executor.loader.applied_migrations and connection.vendor == "sqlite":
            snapshot(Path(str(connection.settings_dict["NAME"])))
        call_command("migrate", verbosity=0, skip_checks=True)
    connection.close()


def snapshot(database: Path) -> Path:
    """A consistent copy beside the data, the last few kept."""
    folder = settings.DATA_DIR / "snapshots"
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"mail-{time.strftime('%Y%m%d-%H%M%S')}.db"
    with contextlib.closing(sqlite3.connect(database)) as source, contextlib.closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    for old in sorted(folder.glob("mail-*.db"))[:-SNAPSHOTS_KEPT]:
        old.unlink()
    return target


def collect_static() -> None:
    """Hashed and compressed files, made anew when a source changed."""
    if settings.DEBUG:
        return
    stamp = settings.STATIC_ROOT / ".made-from"
    now = fingerprint()
    if stamp.exists() and stamp.read_text() == now:
        return
    call_command("collectstatic", "--noinput", "--clear", verbosity=0)
    stamp.write_text(now)


def fingerprint() -> str:
    """Of every static source: name, size and time."""
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for path in sorted((settings.BASE_DIR / "static").rglob("*")):
        if path.is_file():
            found = path.stat()
            digest.update(f"{path}:{found.st_size}:{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
