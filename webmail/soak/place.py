"""A temporary installation: a DATA_DIR of its own, free ports of loopback, a database of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from django.db import connection

from core.checks import PORTS as SERVED
from core.ports import free_ports

PORTS = (*SERVED, "SINK_PORT")


@contextlib.contextmanager
def temporary_place() -> Iterator[dict[str, str]]:
    """The environment of the installation; folder and database go with the block, unless KEEP is in the environment."""
    folder = Path(tempfile.mkdtemp(prefix="gm-soak-"))
    ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
    with _database(f"globalmail_soak_{os.getpid()}") as url:
        yield (
            os.environ
            | ports
            | {
                "DATA_DIR": str(folder),
                "DATABASE_URL": url,
                "REDIS_URL": "",
                "PUBLIC_HOST": "localhost",
                "BASE_URL": f"http://127.0.0.1:{ports['WEB_PORT']}",
                "LISTEN_HOST": "127.0.0.1",
                "STATIC_ROOT": str(folder / "static"),
                "ROUTES": f'{{"*": "127.0.0.1:{ports["SINK_PORT"]}"}}',
                "LOG_LEVEL": "WARNING",
            }
        )
    if "KEEP" not in os.environ:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _database(name: str) -> Iterator[str]:
    """The URL of a new database beside the configured one on PostgreSQL; empty (a file in DATA_DIR) on SQLite."""
    if connection.vendor != "postgresql":
        yield ""
        return
    given = connection.settings_dict
    login = urllib.parse.quote(str(given["USER"]), safe="")
    if given["PASSWORD"]:
        login += ":" + urllib.parse.quote(str(given["PASSWORD"]), safe="")
    port = f":{given['PORT']}" if given["PORT"] else ""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield f"postgres://{login}@{given['HOST']}{port}/{name}"
        finally:
            connection.close()  # an idle hour may have ended it
            with connection.cursor() as again:
                again.execute(f"DROP DATABASE {name} WITH (FORCE)")
