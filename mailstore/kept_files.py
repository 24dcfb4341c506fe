"""Files beside the database that are made of a folder's mails and can be made again at any time: DATA_DIR/cache/folders.

Nobody may trust that one is there, whole, or of this database: who reads one verifies it. They hold what mails hold, so
they are readable by the server alone, and go with their folder, with their mailbox, and MAX_AGE_S after they were written.
Backups leave them out. Several processes write at once; the last one wins.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings

from mailstore import sql
from mailstore.fields import mailbox_of

MAX_TOTAL_BYTES = 1 << 30
"""Of all files; beyond it the oldest go."""
MAX_AGE_S = 14 * 24 * 3600
"""What has left a folder is in no file for longer, as in the recovery."""
UNFINISHED_S = 3600
"""After which a file that a killed process was writing is removed."""
PART = ".part"


def root() -> Path:
    """The folder of all of them."""
    return Path(settings.DATA_DIR) / "cache" / "folders"


def read(folder_id: int, name: str, *, limit: int = -1) -> bytes | None:
    """A file's bytes (the first `limit`), None when there is none or it is too old."""
    path = _path(folder_id, name)
    with contextlib.suppress(OSError), path.open("rb") as file:
        if time.time() - os.fstat(file.fileno()).st_mtime < MAX_AGE_S:
            return file.read(limit)
    return None


def write(folder_id: int, name: str, data: bytes) -> bool:
    """Replace a file in one step; False when the disk would not have it. Not synced: a torn one is found by its reader."""
    path = _path(folder_id, name)
    part = path.with_name(f"{path.name}-{secrets.token_hex(4)}{PART}")
    try:
        for folder in (root().parent, root(), path.parent):
            folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor with its mode
            file.write(data)
        part.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        return False
    return True


def forget(folder_id: int, name: str) -> None:
    """Remove one file."""
    _remove([_path(folder_id, name)])


def forget_folder(folder_id: int) -> None:
    """Remove the files of a folder that is gone."""
    _remove(path for path in _files(_place(folder_id)) if path.name.startswith(f"{folder_id:x}-"))


def forget_mailbox(mailbox_id: int) -> None:
    """Remove the files of all folders of a mailbox."""
    shutil.rmtree(root() / f"{mailbox_id:x}", ignore_errors=True)


def forget_all() -> None:
    """Remove every file: they are of another database."""
    shutil.rmtree(root(), ignore_errors=True)


def shrink() -> int:
    """Remove what is too old, too much or left unfinished; how many."""
    now = time.time()
    kept: list[tuple[float, int, Path]] = []
    doomed: list[Path] = []
    for path in _all():
        with contextlib.suppress(OSError):
            facts = path.stat()
            if now - facts.st_mtime > (UNFINISHED_S if path.name.endswith(PART) else MAX_AGE_S):
                doomed.append(path)
            else:
                kept.append((facts.st_mtime, facts.st_size, path))
    held = 0
    for _, size, path in sorted(kept, reverse=True):
        held += size
        if held > MAX_TOTAL_BYTES:
            doomed.append(path)
    return _remove(doomed)


def forget_strangers() -> int:
    """Remove the files of folders that are not there (another machine may have deleted one); how many."""
    paths = list(_all())
    here: set[int] = set()
    for part in sql.slices({_folder_of(path) for path in paths}):
        here.update(
            row[0] for row in sql.rows(f"SELECT id FROM mailstore_folder WHERE id IN ({sql.marks(part)})", part)
        )
    return _remove(path for path in paths if _folder_of(path) not in here)


def _folder_of(path: Path) -> int:
    with contextlib.suppress(ValueError):
        return int(path.name.partition("-")[0], 16)
    return 0


def _place(folder_id: int) -> Path:
    return root() / f"{mailbox_of(folder_id):x}"


def _path(folder_id: int, name: str) -> Path:
    """Names come from clients (any field of the header), so they are no names of files."""
    digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return _place(folder_id) / f"{folder_id:x}-{digest}"


def _all() -> Iterator[Path]:
    for place in _files(root()):
        yield from _files(place)


def _files(place: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from list(place.iterdir())


def _remove(paths: Iterable[Path]) -> int:
    count = 0
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()
            count += 1
    return count
