"""A mailbox into files: every folder that this session may open, message by message, with nothing held in memory.

Names come from folder and entry, and a file appears under its name only when it is whole; so an export that was killed
is simply done again, and nothing lies there twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from core.access import Access, Right
from core.errors import MailError
from mailstore import blobs, sql
from mailstore.portable import mbox
from mailstore.portable.eml import EmlWriter, ZipWriter
from mailstore.portable.items import Item, Unreadable
from mailstore.portable.maildir import MaildirWriter
from mailstore.portable.names import to_file_name
from mailstore.portable.sources import Form
from mailstore.selectors.folders import FolderRow, folder_tree
from mailstore.services.rows import bits

CHUNK = 40
"""Entries that one query reads, at most 256 KB each."""


@dataclasses.dataclass(slots=True)
class ExportReport:
    """How far an export is. `failures` are messages whose bytes can't be had."""

    exported: int = 0
    exported_bytes: int = 0
    folders: int = 0
    failures: list[Unreadable] = dataclasses.field(default_factory=list)


Progress = Callable[[ExportReport], None]


class Writer(Protocol):
    """What each form has."""

    def write(self, entry_id: int, item: Item) -> None:
        """One message."""

    def close(self) -> None:
        """All are written."""


class MboxWriter:
    """A file for each folder, under its name when it is whole. Folders come one after the other."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)
        self._folder: tuple[str, ...] = ()
        self._part = self._target = root
        self._file: BinaryIO | None = None

    def write(self, entry_id: int, item: Item) -> None:
        """Append to the folder's file."""
        if item.folder != self._folder or self._file is None:
            self.close()
            self._folder = item.folder
            *above, name = (to_file_name(part) for part in item.folder)
            self._target = self._root.joinpath(*above, f"{name}.mbox")
            self._target.parent.mkdir(parents=True, exist_ok=True)
            self._part = self._target.with_name(f".{self._target.name}.part")
            self._file = self._part.open("wb")
        mbox.write_message(self._file, item)

    def close(self) -> None:
        """End the folder's file."""
        if self._file is not None:
            self._file.close()
            self._part.rename(self._target)
            self._file = None


WRITERS: dict[Form, Callable[[Path], Writer]] = {
    Form.MBOX: MboxWriter,
    Form.MAILDIR: MaildirWriter,
    Form.EML: EmlWriter,
    Form.ZIP: ZipWriter,
}


def export_mail(
    access: Access,
    target: Path,
    form: Form,
    *,
    folder_ids: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> ExportReport:
    """Write the folders (all of them without `folder_ids`) to `target`. Locked folders are left out. Needs READ."""
    access.require(Right.READ)
    report = ExportReport()
    keywords = dict(sql.rows("SELECT bit, atom FROM mailstore_keyword WHERE mailbox_id = %s", [access.mailbox]))
    writer = WRITERS[form](target)
    for folder, path in _folders(access, folder_ids):
        for entry_id, found in _messages(folder, path, keywords):
            if isinstance(found, Unreadable):
                report.failures.append(found)
                continue
            writer.write(entry_id, found)
            report.exported += 1
            report.exported_bytes += len(found.raw)
        report.folders += 1
        if progress is not None:
            progress(report)
    writer.close()
    return report


def _folders(access: Access, folder_ids: Sequence[int] | None) -> Iterator[tuple[FolderRow, tuple[str, ...]]]:
    paths: dict[int, tuple[str, ...]] = {}
    for row in folder_tree(access):
        paths[row.id] = (*paths.get(row.parent_id, ()), row.name)
        if not row.is_locked and (folder_ids is None or row.id in folder_ids):
            yield row, paths[row.id]


def _messages(
    folder: FolderRow, path: tuple[str, ...], keywords: dict[int, str]
) -> Iterator[tuple[int, Item | Unreadable]]:
    """By ascending UID, a short query for each chunk."""
    last_uid = 0
    while True:
        query = (
            "SELECT e.uid, e.id, e.flags, e.keywords, e.internal_us, b.codec, b.data, b.key, b.size "
            "FROM mailstore_entry e JOIN mailstore_message m ON m.id = e.message_id "
            "JOIN mailstore_blob b ON b.id = m.blob_id WHERE e.folder_id = %s AND e.uid > %s ORDER BY e.uid LIMIT %s"
        )
        found = sql.rows(query, [folder.id, last_uid, CHUNK])
        for uid, entry_id, flags, mask, internal_us, *blob in found:
            last_uid = uid
            place = f"{'/'.join(path)} {uid}"
            atoms = tuple(keywords[bit] for bit in bits(mask) if bit in keywords)
            try:
                yield entry_id, Item(place, path, blobs.decode(*blob), flags, atoms, internal_us)
            except MailError as error:
                yield entry_id, Unreadable(place, str(error.data.get("error", error.kind.value)))
        if len(found) < CHUNK:
            return
