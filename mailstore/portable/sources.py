"""What lies at a path: told by looking, so that nobody has to name the format."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from pathlib import Path

from core.errors import ErrorKind, MailError
from mailstore.portable.eml import read_eml
from mailstore.portable.items import Found
from mailstore.portable.maildir import is_maildir, read_maildir
from mailstore.portable.mbox import read_mbox
from mailstore.portable.names import from_file_name

THUNDERBIRD_BELOW = ".sbd"
"""Thunderbird keeps the folders below `Name` in a directory `Name.sbd`."""


class Form(enum.StrEnum):
    """A form that can be read and written; ZIP is EML in one file."""

    MBOX = "mbox"
    MAILDIR = "maildir"
    EML = "eml"
    ZIP = "zip"


def form_of(path: Path) -> Form:
    """NOT_FOUND for nothing there, INVALID for a file of another kind."""
    if not path.exists():
        raise MailError(ErrorKind.NOT_FOUND, path=str(path))
    if path.is_dir():
        if is_maildir(path):
            return Form.MAILDIR
        return Form.MBOX if any(_mboxes(path)) else Form.EML
    if path.suffix.lower() == ".zip":
        return Form.ZIP
    if _is_mbox(path):
        return Form.MBOX
    if path.suffix.lower() == ".eml":
        return Form.EML
    raise MailError(ErrorKind.INVALID, path=str(path))


def read_source(path: Path, form: Form, *, max_bytes: int) -> Iterator[Found]:
    """Every message at `path`, one after the other."""
    if form is Form.MAILDIR:
        yield from read_maildir(path, max_bytes=max_bytes)
    elif form is Form.MBOX:
        for each in sorted(_mboxes(path)) if path.is_dir() else [path]:
            yield from read_mbox(each, _folder(path, each), max_bytes=max_bytes)
    else:
        yield from read_eml(path, max_bytes=max_bytes)


def _mboxes(path: Path) -> Iterator[Path]:
    return (each for each in path.rglob("*") if each.is_file() and not each.name.startswith(".") and _is_mbox(each))


def _is_mbox(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(5)
    except OSError:
        return False
    return start == b"From " or (not start and path.suffix == ".mbox")


def _folder(root: Path, path: Path) -> tuple[str, ...]:
    if root == path:
        return (from_file_name(path.stem),)
    parts = path.relative_to(root).with_suffix("" if path.suffix == ".mbox" else path.suffix).parts
    return tuple(from_file_name(part.removesuffix(THUNDERBIRD_BELOW)) for part in parts)
