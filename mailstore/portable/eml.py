"""Files of one message each, in directories or in a zip; `index.jsonl` beside them keeps what a file can't: folder,
flags and the time of arrival. Without it folders are directories and the time is the Date field's."""

from __future__ import annotations

import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from mailstore.message import scan
from mailstore.portable.items import Found, Item, Unreadable, flags_of, names_of, with_crlf
from mailstore.portable.names import from_file_name, to_file_name

INDEX = "index.jsonl"
MAX_INDEX_BYTES = 1 << 30
MAX_SUBJECT_BYTES = 80
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, RuntimeError, EOFError)
"""What the standard library raises for members that are damaged, encrypted or packed unknown ways."""
_NO_NAME = re.compile(r'[\x00-\x1f\x7f%:?"<>|*\\/]+')


def read_eml(path: Path, *, max_bytes: int) -> Iterator[Found]:
    """A file, a directory of them, or a zip."""
    if path.is_file() and path.suffix.lower() == ".zip":
        yield from _read_zip(path, max_bytes)
    elif path.is_file():
        yield _read_file(path, path.name, {}, max_bytes)
    else:
        index = _index((path / INDEX).read_text("utf-8").splitlines() if (path / INDEX).is_file() else [])
        for each in sorted(path.rglob("*.eml")):
            name = each.relative_to(path).as_posix()
            yield _read_file(each, name, index.get(name, {}), max_bytes)


def _read_file(path: Path, name: str, known: dict[str, Any], max_bytes: int) -> Found:
    try:
        if path.stat().st_size > max_bytes:
            return Unreadable(name, f"larger than {max_bytes} bytes")
        return _item(name, path.read_bytes(), known)
    except OSError as error:
        return Unreadable(name, error.strerror or "unreadable")


def _read_zip(path: Path, max_bytes: int) -> Iterator[Found]:
    with zipfile.ZipFile(path) as archive:
        index: dict[str, dict[str, Any]] = {}
        if INDEX in archive.namelist() and archive.getinfo(INDEX).file_size <= MAX_INDEX_BYTES:
            with archive.open(INDEX) as lines:
                index = _index(line.decode("utf-8", "replace") for line in lines)
        for info in archive.infolist():
            if info.filename.lower().endswith(".eml"):
                yield _from_zip(archive, info, index.get(info.filename, {}), max_bytes)


def _from_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo, known: dict[str, Any], max_bytes: int) -> Found:
    """What the zip says of a size may be a lie, so no more than the limit is read."""
    try:
        with archive.open(info) as file:
            raw = file.read(max_bytes + 1)
    except BROKEN as error:
        return Unreadable(info.filename, str(error))
    if len(raw) > max_bytes:
        return Unreadable(info.filename, f"larger than {max_bytes} bytes")
    return _item(info.filename, raw, known)


def _index(lines: Any) -> dict[str, dict[str, Any]]:
    """By file name; lines that are none are left out."""
    found = {}
    for line in lines:
        try:
            each = json.loads(line)
            found[str(each["file"])] = each
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _item(name: str, raw: bytes, known: dict[str, Any]) -> Found:
    if not raw.strip():
        return Unreadable(name, "empty")
    raw = with_crlf(raw)
    flags, keywords = flags_of([str(each) for each in known.get("flags") or []])
    parts = known.get("folder") or [from_file_name(part) for part in PurePosixPath(name).parts[:-1]] or ["INBOX"]
    internal_us = known.get("internal_us")
    if not isinstance(internal_us, int):
        internal_us = scan(raw).sent_us
    return Item(name, tuple(str(part) for part in parts), raw, flags, keywords, internal_us)


def file_name(entry_id: int, item: Item) -> str:
    """Where an export puts a message: its folder, its entry's number, its subject."""
    subject = _NO_NAME.sub("_", scan(item.raw).subject).encode()[:MAX_SUBJECT_BYTES].decode("utf-8", "ignore")
    folder = "/".join(to_file_name(part) for part in item.folder)
    return f"{folder}/{entry_id & 0xFFFFFFFFF:08d} {subject.strip(' .')}".rstrip() + ".eml"


def index_line(name: str, item: Item) -> str:
    """What `INDEX` says of it."""
    flags = names_of(item.flags, item.keywords)
    known = {"file": name, "folder": item.folder, "flags": flags, "internal_us": item.internal_us}
    return json.dumps(known, ensure_ascii=False) + "\n"


class EmlWriter:
    """Writes files below `root`; doing it again writes the same files."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)
        self._fresh = root / f".{INDEX}.part"
        self._index = self._fresh.open("w", encoding="utf-8")

    def write(self, entry_id: int, item: Item) -> None:
        """One file."""
        name = file_name(entry_id, item)
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{entry_id}.part")
        part.write_bytes(item.raw)
        part.rename(path)
        self._index.write(index_line(name, item))

    def close(self) -> None:
        """The index comes last, in one step."""
        self._index.close()
        self._fresh.rename(self._root / INDEX)


class ZipWriter:
    """Writes one zip, under its name only when it is whole."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._part = target.with_name(f".{target.name}.part")
        self._archive = zipfile.ZipFile(self._part, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self._index: list[str] = []

    def write(self, entry_id: int, item: Item) -> None:
        """One member."""
        name = file_name(entry_id, item)
        self._archive.writestr(name, item.raw)
        self._index.append(index_line(name, item))

    def close(self) -> None:
        """The index, then the name."""
        self._archive.writestr(INDEX, "".join(self._index))
        self._archive.close()
        self._part.rename(self._target)
