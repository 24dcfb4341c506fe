"""Where the installation's secret keys come from; read by settings before Django exists."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def load_keys(given: list[str], path: Path) -> list[str]:
    """`given` when the environment names keys, else the lines of `path`, which is made on first run.

    Newest first. The file is created exclusively and synced, so that two processes starting at once agree.
    """
    if given:
        return given
    try:
        _create(path)
    except FileExistsError:
        pass
    return path.read_text().split()


def _create(path: Path) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, secrets.token_urlsafe(48).encode() + b"\n")
        os.fsync(descriptor)
        os.link(fresh, path)  # fails when another process was first; never shows a half-written ring
    finally:
        os.close(descriptor)
        fresh.unlink()
