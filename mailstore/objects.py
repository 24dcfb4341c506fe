"""Where large blobs lie as objects: DATA_DIR/blobs/aa/…, or a bucket when BLOB_STORE_URL names one.

An object is written under its hash before the transaction that refers to it, and removed a second grace after its
row. Writing always renews the object's time, and on disk an exclusive lock makes "old, so remove" one step, so a
content that comes back while its old object is collected is never lost.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import importlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings

from core.errors import ErrorKind, MailError
from core.full import refusal


class Objects(Protocol):
    """What both kinds of store can do."""

    def write(self, key: str, data: bytes) -> None:
        """Store durably."""

    def read(self, key: str) -> bytes:
        """The bytes; MailError UNAVAILABLE when they can't be had."""

    def exists(self, key: str) -> bool:
        """Whether the object is there."""

    def remove_if_older(self, key: str, before_s: float) -> bool:
        """Remove unless it was written after `before_s`."""

    def keys(self) -> Iterator[str]:
        """Every object."""


def objects() -> Objects:
    """The store that the settings name."""
    url = urlsplit(settings.BLOB_STORE_URL)
    if url.scheme == "s3":
        return _bucket(url.netloc, url.path.strip("/"), url.query)
    return Disk(settings.DATA_DIR / "blobs")


class Disk:
    """Files under their hash, in 256 directories."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, key: str, data: bytes) -> None:
        """Write beside, sync, rename, sync the directory: after a crash it is there whole or not at all."""
        path = self._root / key
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        try:
            _write_synced(fresh, data)
            with self._lock(fcntl.LOCK_SH):
                fresh.rename(path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise refusal(error) from error
        _sync_directory(path.parent)
        _sync_directory(self._root)

    def read(self, key: str) -> bytes:
        """The whole file."""
        try:
            return (self._root / key).read_bytes()
        except OSError as error:
            raise MailError(ErrorKind.UNAVAILABLE, error=str(error)) from error

    def exists(self, key: str) -> bool:
        """Whether the file is there."""
        return (self._root / key).is_file()

    def remove_if_older(self, key: str, before_s: float) -> bool:
        """Look and unlink under the lock that `write` renames under."""
        path = self._root / key
        with self._lock(fcntl.LOCK_EX):
            if not path.exists() or path.stat().st_mtime >= before_s:
                return False
            path.unlink()
        return True

    def keys(self) -> Iterator[str]:
        """Every file; those that a crash left half written are removed after an hour."""
        for path in self._root.glob("*/*"):
            if not path.name.startswith("."):
                yield f"{path.parent.name}/{path.name}"
            elif path.stat().st_mtime < time.time() - 3600:
                path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _lock(self, how: int) -> Iterator[None]:
        descriptor = os.open(self._root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)


class Bucket:
    """An S3 bucket by django-storages (extra `s3`)."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage

    def write(self, key: str, data: bytes) -> None:
        """Upload; overwriting renews LastModified."""
        content = importlib.import_module("django.core.files.base").ContentFile(data)
        with _bucket_errors():
            self._storage.save(key, content)

    def read(self, key: str) -> bytes:
        """Download."""
        with _bucket_errors(), self._storage.open(key, "rb") as file:
            return bytes(file.read())

    def exists(self, key: str) -> bool:
        """One HEAD request."""
        with _bucket_errors():
            return bool(self._storage.exists(key))

    def remove_if_older(self, key: str, before_s: float) -> bool:
        """Not one step as on disk; the grace is hours and the gap milliseconds."""
        with _bucket_errors():
            if not self._storage.exists(key) or self._storage.get_modified_time(key).timestamp() >= before_s:
                return False
            self._storage.delete(key)
        return True

    def keys(self) -> Iterator[str]:
        """Two levels, as on disk."""
        with _bucket_errors():
            for directory in self._storage.listdir("")[0]:
                yield from (f"{directory}/{name}" for name in self._storage.listdir(directory)[1])


@functools.cache
def _bucket(name: str, prefix: str, query: str) -> Bucket:
    """`endpoint` and `region` for stores that aren't Amazon's; credentials are where boto3 looks for them."""
    given = dict(parse_qsl(query))
    options = {
        "endpoint_url": given.get("endpoint"),
        "region_name": given.get("region"),
        "addressing_style": "path" if "endpoint" in given else None,
    }
    module = importlib.import_module("storages.backends.s3")  # the extra is installed only where a bucket is used
    return Bucket(module.S3Storage(bucket_name=name, location=prefix, file_overwrite=True, default_acl=None, **options))


@contextlib.contextmanager
def _bucket_errors() -> Iterator[None]:
    """Whatever the client library raises means that the bucket can't be had now."""
    try:
        yield
    except MailError:
        raise
    except Exception as error:
        raise MailError(ErrorKind.UNAVAILABLE, error=str(error)) from error


def _write_synced(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
