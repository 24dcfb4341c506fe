"""Making a backup while mail flows.

First the database as of one moment, then the objects that it names: an object outlives its row by a grace of 24 h
(mailstore.blobs), so what the copy of the database names is there for a backup of less than a day. Objects whose rows
went after that moment are copied too.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from core.errors import ErrorKind, MailError
from mailstore import blobs, sql
from mailstore.models.blobs import Codec
from mailstore.objects import objects
from webmail.backup import databases
from webmail.backup.manifest import write_manifest

CERTIFICATES = "certs"


@dataclasses.dataclass(slots=True)
class BackupReport:
    """`missing` objects could not be read or are not what they should be: the backup lacks them as the store does."""

    path: Path
    objects: int = 0
    object_bytes: int = 0
    missing: list[str] = dataclasses.field(default_factory=list)


def make_backup(target: Path, *, progress: Callable[[BackupReport], None] | None = None) -> BackupReport:
    """Write a backup to `target`, which appears only when it is whole. EXISTS, UNAVAILABLE. A killed one leaves a
    directory beside it whose name begins with a dot, and nothing else."""
    if target.exists():
        raise MailError(ErrorKind.EXISTS, path=str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        report = _fill(part, target, progress)
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return report


def _fill(part: Path, target: Path, progress: Callable[[BackupReport], None] | None) -> BackupReport:
    report = BackupReport(target)
    databases.dump(part)
    _write(part / "keyring", "".join(f"{key}\n" for key in settings.SECRET_KEYS).encode())
    certificates = settings.DATA_DIR / CERTIFICATES
    if certificates.is_dir():
        shutil.copytree(certificates, part / CERTIFICATES)
    _copy_objects(part, report, progress)
    write_manifest(part, _facts())
    return report


def _facts() -> dict[str, Any]:
    applied = MigrationRecorder(connection).applied_migrations()
    return {
        "created_at": timezone.now().isoformat(timespec="seconds"),
        "database": connection.vendor,
        "migrations": sorted(".".join(key) for key in applied),
    }


def _copy_objects(part: Path, report: BackupReport, progress: Callable[[BackupReport], None] | None) -> None:
    last = ""
    while True:
        query = (
            "SELECT key, max(is_gone) FROM (SELECT key, 0 AS is_gone FROM mailstore_blob WHERE key > %s "
            "UNION ALL SELECT key, 1 FROM mailstore_goneobject WHERE key > %s) AS known GROUP BY key ORDER BY key LIMIT 200"
        )
        found = sql.rows(query, [last, last])
        for key, is_gone in found:
            last = key
            _copy_object(part / "blobs" / key, key, report, is_gone=bool(is_gone))
        if progress is not None:
            progress(report)
        if len(found) < 200:
            return


def _copy_object(path: Path, key: str, report: BackupReport, *, is_gone: bool) -> None:
    """A row that went after the copy of the database may have lost its object rightly."""
    try:
        data = objects().read(key)
        if not _is_whole(key, data):
            raise MailError(ErrorKind.UNAVAILABLE, error="its hash is wrong")
    except MailError as error:
        if not is_gone:
            report.missing.append(f"{key}: {error.data.get('error', error.kind.value)}")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, data)
    report.objects += 1
    report.object_bytes += len(data)


def _is_whole(key: str, data: bytes) -> bool:
    """Whether the object holds the content that it is named after."""
    name = key.partition("/")[2]
    codec = Codec.ZSTD if name.endswith(".zst") else Codec.RAW
    try:
        content = blobs.decode(int(codec), data, "", blobs.MAX_CONTENT_BYTES)
    except Exception:  # a damaged frame raises whatever its library likes
        return False
    return hashlib.sha256(content).hexdigest() == name.partition(".")[0]


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor with its mode
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
