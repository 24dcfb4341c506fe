"""The whole test suite, on SQLite and then on PostgreSQL. Arguments go to pytest.

DATABASE_URL names a PostgreSQL server to use; otherwise a temporary cluster of Debian's PostgreSQL is started on
loopback (as user `postgres` when we are root, because the server refuses root) and removed afterwards.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTEST = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup"]


def main() -> int:
    """Both runs; the first failure's exit code."""
    arguments = sys.argv[1:]
    print("== SQLite", flush=True)
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    sqlite = subprocess.run([*PYTEST, *arguments], cwd=ROOT, env=environment, check=False).returncode
    print("== PostgreSQL", flush=True)
    with postgres() as url:
        if url is None:
            sys.exit("No PostgreSQL server found: install Debian's postgresql or set DATABASE_URL.")
        environment["DATABASE_URL"] = url
        # What the database can't change (pure parsing, HTML) was tested already.
        rest = ["--ignore=tests/documents", "--ignore=tests/mailstore/message", "-m", "not browser"]
        second = subprocess.run([*PYTEST, *rest, *arguments], cwd=ROOT, env=environment, check=False).returncode
    return sqlite or second


@contextlib.contextmanager
def postgres() -> Iterator[str | None]:
    """The URL of a running server."""
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        yield os.environ["DATABASE_URL"]
        return
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="gm-pg-"))
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if prefix:
        shutil.chown(folder, "postgres")
    port = free_port()
    control = [*prefix, str(programs[-1] / "pg_ctl"), "-D", str(folder / "data"), "-w", "-l", str(folder / "log")]
    initdb = [*prefix, str(programs[-1] / "initdb"), "-D", str(folder / "data")]
    quietly([*initdb, "-U", "globalmail", "-A", "trust", "-E", "UTF8"])
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c max_connections=200"
    quietly([*control, "-o", options, "start"])
    try:
        yield f"postgres://globalmail@127.0.0.1:{port}/postgres"
    finally:
        quietly([*control, "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


def quietly(command: list[str]) -> None:
    """Run a command that must work; its errors are shown, its output is not. `/` can be entered by every user."""
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, cwd="/")


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
