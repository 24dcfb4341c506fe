"""A backup back into an installation that has nothing yet.

Everything is verified first. The database comes last and in one step, so a restore that was killed is done again.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from django.conf import settings

from core.errors import ErrorKind, MailError
from mailstore import kept_files
from mailstore.objects import objects
from webmail.backup import databases
from webmail.backup.make import CERTIFICATES
from webmail.backup.manifest import read_manifest


def restore_backup(source: Path) -> dict[str, Any]:
    """Restore into DATA_DIR and the configured database; the manifest. EXISTS when there is a database with tables,
    NOT_FOUND and INVALID (`problems`) for what is no whole backup of this kind of database, UNAVAILABLE."""
    if databases.has_tables():
        raise MailError(ErrorKind.EXISTS, path=str(settings.DATA_DIR))
    manifest = read_manifest(source)
    if databases.file_name() not in manifest["files"]:
        problem = f"it holds a {manifest['database']} database; restore it so, then move_database"
        raise MailError(ErrorKind.INVALID, problems=[problem])
    for name in manifest["files"]:
        if name.startswith("blobs/"):
            objects().write(name.removeprefix("blobs/"), (source / name).read_bytes())
        elif name == "keyring" or name.startswith(f"{CERTIFICATES}/"):
            _copy(source / name, settings.DATA_DIR / name)
    kept_files.forget_all()
    databases.load(source)
    return manifest


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, fresh)
    fresh.chmod(0o600)
    fresh.rename(target)
