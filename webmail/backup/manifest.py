"""What a backup says of itself: every file with its size and hash. Written last, so a backup without one is no backup."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from core.errors import ErrorKind, MailError

FORMAT = "globalmail-backup"
VERSION = 1
NAME = "manifest.json"
CHUNK = 1 << 20


def digest_of(path: Path) -> str:
    """SHA-256 of a file, a megabyte at a time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(root: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Hash every file below `root` and write the manifest, synced. `facts` say what kind of backup it is."""
    files = {
        path.relative_to(root).as_posix(): {"size": path.stat().st_size, "sha256": digest_of(path)}
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != NAME
    }
    manifest = {"format": FORMAT, "version": VERSION, **facts, "files": files}
    with (root / NAME).open("w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    return manifest


def read_manifest(root: Path) -> dict[str, Any]:
    """The manifest after every file was found to be what it says. NOT_FOUND, INVALID (`problems`)."""
    try:
        manifest: dict[str, Any] = json.loads((root / NAME).read_text("utf-8"))
    except FileNotFoundError:
        raise MailError(ErrorKind.NOT_FOUND, path=str(root / NAME)) from None
    except ValueError as error:
        raise MailError(ErrorKind.INVALID, problems=[f"{NAME}: {error}"]) from None
    if manifest.get("format") != FORMAT or manifest.get("version") != VERSION:
        raise MailError(ErrorKind.INVALID, problems=[f"{NAME}: not a backup that this version reads"])
    problems = [problem for name, facts in manifest["files"].items() if (problem := _problem(root, name, facts))]
    if problems:
        raise MailError(ErrorKind.INVALID, problems=problems)
    return manifest


def _problem(root: Path, name: str, facts: dict[str, Any]) -> str:
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        return f"{name}: outside the backup"
    if not path.is_file():
        return f"{name}: missing"
    return "" if digest_of(path) == facts["sha256"] else f"{name}: changed since the backup was made"
