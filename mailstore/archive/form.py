"""The archive: a tar in zstd, written and read as a stream.

`globalmail.json` (what it is), `blobs/<sha256>` (contents), `rows/<table>/<number>.jsonl` (a row a line), and last
`end.json` with the count and the hash of all of it. An archive without its end was not finished.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import zstandard

from core.errors import ErrorKind, MailError

FORMAT = "globalmail-account"
VERSION = 1
HEAD, END = "globalmail.json", "end.json"
MAX_MEMBER_BYTES = 1 << 31
MAX_META_BYTES = 64 << 20


class ArchiveWriter:
    """Members in, one after the other; `finish` writes the end."""

    def __init__(self, file: IO[bytes], facts: dict[str, Any]) -> None:
        self._stream = zstandard.ZstdCompressor(level=6).stream_writer(file, closefd=False)
        self._tar = tarfile.open(fileobj=self._stream, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - `finish` closes it
        self._digest = hashlib.sha256()
        self._count = 0
        self.add(HEAD, json.dumps({"format": FORMAT, "version": VERSION, **facts}, ensure_ascii=False).encode())

    def add(self, name: str, data: bytes) -> None:
        """One member."""
        self._digest.update(_line(name, data))
        self._count += 1
        info = tarfile.TarInfo(name)
        info.size = len(data)
        info.mode = 0o600
        self._tar.addfile(info, io.BytesIO(data))

    def finish(self, counts: dict[str, int]) -> None:
        """The end: without it nobody restores this."""
        end = {"members": self._count, "sha256": self._digest.hexdigest(), "counts": counts}
        self.add(END, json.dumps(end).encode())
        self._tar.close()
        self._stream.close()  # type: ignore[no-untyped-call]


def members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Every member but the end, in order. INVALID at the first thing that isn't as it was written; NOT_FOUND."""
    digest, count = hashlib.sha256(), 0
    end: dict[str, Any] | None = None
    for name, data in _raw(path):
        if name == END:
            end = _json(data)
            break
        digest.update(_line(name, data))
        count += 1
        yield name, data
    if end is None:
        raise MailError(ErrorKind.INVALID, problem="the archive was not finished, or is cut off")
    if (end.get("members"), end.get("sha256")) != (count, digest.hexdigest()):
        raise MailError(ErrorKind.INVALID, problem="the archive's content is not what its end says")


def verify(path: Path, *, each: Callable[[str], None] | None = None) -> dict[str, Any]:
    """Read all of it and compare every hash; what the head says. INVALID, NOT_FOUND."""
    head: dict[str, Any] = {}
    for name, data in members(path):
        if name == HEAD:
            head = _json(data)
            if head.get("format") != FORMAT or head.get("version") != VERSION:
                raise MailError(ErrorKind.INVALID, problem="no account archive that this version reads")
        elif name.startswith("blobs/") and hashlib.sha256(data).hexdigest() != name.removeprefix("blobs/"):
            raise MailError(ErrorKind.INVALID, problem=f"{name} is not what its name says")
        if each is not None:
            each(name)
    if not head:
        raise MailError(ErrorKind.INVALID, problem="the archive says nothing of itself")
    return head


def _raw(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with path.open("rb") as file:
            stream = zstandard.ZstdDecompressor().stream_reader(file)
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                for info in tar:
                    limit = MAX_MEMBER_BYTES if info.name.startswith("blobs/") else MAX_META_BYTES
                    content = tar.extractfile(info) if info.isfile() and info.size <= limit else None
                    if content is None:
                        raise MailError(ErrorKind.INVALID, problem=f"{info.name} does not belong here")
                    yield info.name, content.read()
    except FileNotFoundError:
        raise MailError(ErrorKind.NOT_FOUND, path=str(path)) from None
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise MailError(ErrorKind.INVALID, problem=str(error)) from None


def _line(name: str, data: bytes) -> bytes:
    return f"{name} {len(data)} {hashlib.sha256(data).hexdigest()}\n".encode()


def _json(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise MailError(ErrorKind.INVALID, problem="no JSON where there should be some")
    return found
