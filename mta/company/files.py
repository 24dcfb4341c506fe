"""Attachments that a company does not let out: by the ending of their names, inside zip files too."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from core.errors import ErrorKind, MailError
from mailstore.message import part, read
from mta.approval.matching import listed

NAMES_MAX = 1_000
"""Names of one archive that are looked at; their contents are not unpacked."""
ARCHIVE_MAX_BYTES = 64 * 1024 * 1024


def check_files(raw: bytes, banned_files: str) -> None:
    """Raises INVALID with the name of the first file that is forbidden."""
    banned = {each.casefold().lstrip("*.") for each in listed(banned_files)} - {""}
    if not banned:
        return
    for name in _names(raw):
        # Windows takes a name without the dots and spaces at its end.
        endings = name.casefold().rstrip(". ").split(".")[1:]
        if endings and endings[-1] in banned:
            raise MailError(ErrorKind.INVALID, field="attachment", name=name[:200])


def _names(raw: bytes) -> Iterator[str]:
    for each in read(raw).attachments:
        yield each.filename
        if each.filename.casefold().endswith(".zip") and each.size_bytes <= ARCHIVE_MAX_BYTES:
            yield from _inside(part(raw, each.number).content)


def _inside(content: bytes) -> list[str]:
    """Names in an archive; one that can't be read has none to show."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [entry.filename for entry in archive.infolist()[:NAMES_MAX]]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return []
