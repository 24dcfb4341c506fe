"""Maildir and Maildir++: a file for each message, flags in its name, the date it has as a file.

Folders are `.Name.Below` beside `cur` (Maildir++) or directories in directories; names in modified UTF-7 or UTF-8.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mailstore.models import Flag
from mailstore.portable.items import Found, Item, Unreadable, flags_of, with_crlf
from mailstore.portable.names import decode_mutf7, encode_mutf7

LETTERS = {
    "D": Flag.DRAFT,
    "F": Flag.FLAGGED,
    "P": Flag.FORWARDED,
    "R": Flag.ANSWERED,
    "S": Flag.SEEN,
    "T": Flag.DELETED,
}
_INFO = re.compile(r"[:;!]2,([A-Za-z]*)\Z")
"""`:` is what the format says; systems whose file names can't hold it use `;` or `!`."""
KEYWORDS_FILE = "dovecot-keywords"
MAX_KEYWORDS = 26


def is_maildir(path: Path) -> bool:
    """Whether a directory is one, or holds some."""
    return (path / "cur").is_dir() or any(path.glob(".*/cur")) or any(path.glob("*/cur"))


def read_maildir(root: Path, *, max_bytes: int) -> Iterator[Found]:
    """Every message of every folder."""
    for directory in sorted({found.parent for found in root.rglob("cur") if found.is_dir()}):
        folder = _folder(directory.relative_to(root))
        letters = _keywords(directory)
        for part in ("cur", "new"):
            names = sorted(each.name for each in (directory / part).iterdir()) if (directory / part).is_dir() else []
            for name in names:
                if not name.startswith("."):
                    yield _read(directory / part / name, folder, letters, max_bytes)


def _folder(relative: Path) -> tuple[str, ...]:
    parts: list[str] = []
    for name in relative.parts:
        parts += [_decoded(each) for each in (name[1:].split(".") if name.startswith(".") else [name]) if each]
    return tuple(parts) or ("INBOX",)


def _decoded(name: str) -> str:
    decoded = decode_mutf7(name)
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if decoded is None else decoded


def _keywords(directory: Path) -> dict[str, str]:
    """Small letters to keywords, as Dovecot keeps them: lines of `number keyword`."""
    try:
        lines = (directory / KEYWORDS_FILE).read_text("utf-8", "replace").splitlines()
    except OSError:
        return {}
    pairs = [line.split(" ", 1) for line in lines]
    return {
        chr(ord("a") + int(pair[0])): pair[1].strip()
        for pair in pairs
        if len(pair) == 2 and pair[0].isdecimal() and int(pair[0]) < MAX_KEYWORDS
    }


def _read(path: Path, folder: tuple[str, ...], letters: dict[str, str], max_bytes: int) -> Found:
    place = str(Path(*path.parts[-3:]))
    try:
        found = path.stat()
        if found.st_size > max_bytes:
            return Unreadable(place, f"larger than {max_bytes} bytes")
        raw = path.read_bytes()
    except OSError as error:
        return Unreadable(place, error.strerror or "unreadable")
    if not raw.strip():
        return Unreadable(place, "empty")
    info = _INFO.search(path.name)
    marks = info[1] if info else ""
    flags = sum(LETTERS[letter] for letter in set(marks) if letter in LETTERS)
    _, keywords = flags_of([letters[letter] for letter in marks if letter in letters])
    return Item(place, folder, with_crlf(raw), int(flags), keywords, found.st_mtime_ns // 1000)


class MaildirWriter:
    """Writes below `root`. A file's name comes from the entry, so doing it again writes nothing twice."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._letters: dict[Path, list[str]] = {}

    def write(self, entry_id: int, item: Item) -> None:
        """One message: whole under `tmp`, then renamed into `cur`."""
        directory = self._directory(item.folder)
        stem = f"{(item.internal_us or 0) // 1_000_000}.E{entry_id}.globalmail"
        marks = "".join(letter for letter, flag in LETTERS.items() if item.flags & flag)
        marks += "".join(self._letter(directory, keyword) for keyword in item.keywords)
        fresh = directory / "tmp" / stem
        fresh.write_bytes(item.raw)
        os.utime(fresh, ns=((item.internal_us or 0) * 1000,) * 2)
        for old in (directory / "cur").glob(f"{stem}:2,*"):
            old.unlink()
        fresh.rename(directory / "cur" / f"{stem}:2,{''.join(sorted(marks))}")

    def close(self) -> None:
        """Nothing is left to do."""

    def _directory(self, folder: tuple[str, ...]) -> Path:
        is_root = folder == ("INBOX",)
        name = "" if is_root else "." + ".".join(encode_mutf7(part, also=".") for part in folder)
        directory = self._root / name if name else self._root
        for part in ("cur", "new", "tmp"):
            (directory / part).mkdir(parents=True, exist_ok=True)
        if not is_root:
            (directory / "maildirfolder").touch()
        return directory

    def _letter(self, directory: Path, keyword: str) -> str:
        """The letter of a keyword in this folder; nothing for the 27th."""
        known = self._letters.setdefault(directory, list(_keywords(directory).values()))
        if keyword not in known:
            if len(known) >= MAX_KEYWORDS:
                return ""
            known.append(keyword)
            lines = "".join(f"{number} {each}\n" for number, each in enumerate(known))
            (directory / KEYWORDS_FILE).write_text(lines, "utf-8")
        return chr(ord("a") + known.index(keyword))
